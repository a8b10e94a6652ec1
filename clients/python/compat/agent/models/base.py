"""The message system's base of models."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel

M = TypeVar("M", bound="SerializableModel")


class SerializableModel(BaseModel):
    """A model that can be kept in a Redis hash."""

    def to_redis_dict(self) -> dict[str, str]:
        """Every field as text; what has parts as JSON."""
        told = {}
        for name, value in self.model_dump(mode="json", exclude_none=True).items():
            told[name] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        return told

    @classmethod
    def from_redis_dict(cls: type[M], data: dict[bytes, bytes]) -> M:
        """Back from what ``hgetall`` gives."""
        told: dict[str, Any] = {}
        for name, value in data.items():
            field, text = name.decode(), value.decode()
            try:
                told[field] = json.loads(text)
            except ValueError:
                told[field] = text
            # Text that looks like a number is text where the model says so.
            annotation = cls.model_fields[field].annotation if field in cls.model_fields else None
            if annotation in (str, str | None, datetime):
                told[field] = text
        return cls.model_validate(told)
