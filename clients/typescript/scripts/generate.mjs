// Writes src/openapi.ts, the types of what the hub takes and answers, src/routes.ts, where each operation
// is found, and docs/reference/typescript.md. With --check it writes nothing and fails where they are stale. The tests run a
// copy of it, and name in REEF_TREE the tree that is meant.

import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";
import { reference } from "./reference.mjs";

const tree = process.env.REEF_TREE
  ? new URL(`file://${process.env.REEF_TREE}/`)
  : new URL("../../../", import.meta.url);
const sources = new URL("clients/typescript/src/", tree);
const document = new URL("openapi.json", tree);
const leftOut = JSON.parse(await readFile(new URL("left-out.json", import.meta.url), "utf8"));
const api = JSON.parse(await readFile(document, "utf8"));

// Kept is what types can say. Descriptions, which the hub shows at /docs, are two thirds of the
// document; an error is a Problem, whichever it is; headers are the core's business.
const TEXTS = ["description", "title", "summary"];
const NO_TYPES = ["not", "headers", "security", "examples", "example", "default", "format"];

function plain(value, name) {
  if (name === "parameters" && Array.isArray(value)) {
    return value.filter((it) => it.in === "path" || it.in === "query").map(plain);
  }
  if (Array.isArray(value)) return value.map((it) => plain(it));
  if (value === null || typeof value !== "object") return value;
  let fields = Object.entries(value).filter(
    ([key, it]) => !NO_TYPES.includes(key) && !(TEXTS.includes(key) && typeof it === "string"),
  );
  if (name === "responses") fields = fields.filter(([status]) => status.startsWith("2"));
  const kept = Object.fromEntries(fields.map(([key, it]) => [key, plain(it, key)]));
  // Which of two fields there must be is no type of its own.
  if (Array.isArray(kept.anyOf) && kept.anyOf.every((it) => Object.keys(it).join() === "required")) {
    delete kept.anyOf;
  }
  const isFree = [kept.type].flat().includes("object") && !kept.properties;
  return isFree ? { additionalProperties: true, ...kept } : kept;
}

const schema = { ...plain(api), info: api.info, components: { schemas: plain(api.components.schemas) } };
const notice = "// Made from openapi.json by `npm run generate`.\n\n";
const types = notice + astToString(await openapiTS(schema, { defaultNonNullable: false }));

const routes = Object.entries(api.paths).flatMap(([path, methods]) =>
  Object.entries(methods)
    .filter(([, operation]) => operation.operationId && !(operation.operationId in leftOut))
    .map(([method, { operationId }]) => `  ${operationId}: ["${method.toUpperCase()}", "${path}"],\n`),
);
const table = `${notice}/** Method and path of each operation that a method of this package calls. */
export const ROUTES = {\n${routes.join("")}} as const;\n`;

let stale = 0;
for (const [file, text] of [
  [new URL("openapi.ts", sources), types],
  [new URL("routes.ts", sources), table],
  [new URL("docs/reference/typescript.md", tree), reference(sources, api)],
]) {
  if (!process.argv.includes("--check")) {
    await writeFile(file, text);
  } else if ((await readFile(file, "utf8").catch(() => "")) !== text) {
    console.error(`${file.pathname} is stale: npm run generate`);
    stale = 1;
  }
}
process.exitCode = stale;
