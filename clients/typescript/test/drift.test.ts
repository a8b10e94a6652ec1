import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { TREE } from "./hub.ts";

const here = new URL("../", import.meta.url);

const leftOut: Record<string, string> = JSON.parse(readFileSync(new URL("scripts/left-out.json", here), "utf8"));

it("every operation is called by a method, or left out for a reason", () => {
  const api = JSON.parse(readFileSync(new URL("openapi.json", TREE), "utf8"));
  const operations: string[] = Object.values<Record<string, { operationId?: string }>>(api.paths).flatMap((methods) =>
    Object.values(methods).flatMap(({ operationId }) => operationId ?? []),
  );
  expect(operations.length).toBeGreaterThan(100);
  const sources = readdirSync(new URL("src", here)).filter((name) => !["openapi.ts", "routes.ts"].includes(name));
  const text = sources.map((name) => readFileSync(new URL(`src/${name}`, here), "utf8")).join("\n");
  const calls = /(?:\.call|pages)\(\s*(?:this\.#http,\s*)?"(\w+)"|ROUTES\.(\w+)\[/g;
  const called = new Set(Array.from(text.matchAll(calls), ([, one, other]) => one ?? other));
  const neither = operations.filter((it) => !called.has(it) && !(it in leftOut));
  expect(neither).toEqual([]);
  const both = Object.keys(leftOut).filter((it) => called.has(it) || !operations.includes(it));
  expect(both).toEqual([]);
  expect([...called].filter((it) => !operations.includes(it ?? ""))).toEqual([]);
});
