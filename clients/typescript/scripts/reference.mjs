// The text of docs/reference/typescript.md, from the comments of the sources. Where a method has none,
// since it is one request and no more, the document of the API says what it does.

import { readFileSync } from "node:fs";
import ts from "typescript";

/** The sources in the order in which one meets them. */
const MODULES = [
  ..."node reef node-handle task writer tasks groups bulk limits schedules usage waits sessions messages".split(" "),
  ..."stream inbox leadership ledger agents nodes cluster errors".split(" "),
];
/** What is exported for other sources only. */
const INSIDE = new Set(["Claims", "Used", "follow", "errorOf", "Handler", "ProblemCode", "Problem"]);

// As the reference links to it.
const START = `../${"docs/start/typescript.md".replace("docs/", "")}`;
const HEAD = `# TypeScript client

What \`reef-agents\` has, a line each; the editor shows the types and the rest. [TypeScript](${START}) begins from nothing. All of it is for browsers, too, except \`node\`, which is imported from \`reef-agents/node\`. What the hub takes and answers is typed as \`openapi.json\` has it.

This file is made from the comments of the sources, by \`npm run generate\`.
`;

const cell = (text) =>
  text
    .replace(/,?\s+(?=})/g, " ")
    .replace(/\s+/g, " ")
    .replaceAll("|", "\\|");

/** What stands above a declaration. */
function said(node) {
  const comments = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  const text = ts.getTextOfJSDocComment(comments.at(-1)?.comment);
  return text ? cell(text) : "";
}

const has = (node, kind) => node.modifiers?.some((it) => it.kind === kind) ?? false;
const isShown = (node) => node.name && ts.isIdentifier(node.name) && !has(node, ts.SyntaxKind.OverrideKeyword);

/** A method as it is called. */
function call(node, source) {
  const given = node.parameters.map(
    (it) => `${cell(it.name.getText(source))}${it.questionToken || it.initializer ? "?" : ""}`,
  );
  const returned = node.type?.getText(source) ?? "";
  const waits = returned.startsWith("Promise<") || has(node, ts.SyntaxKind.AsyncKeyword) ? "await " : "";
  const how = node.asteriskToken ? "for await " : waits;
  return `${how}${node.name.text}(${given.join(", ")})`;
}

function row(node, source, summaries) {
  if (!isShown(node)) return [];
  const asked = /(?:\.call|callWithHeaders|pages)\(\s*(?:this\.#http,\s*)?"(\w+)"/.exec(node.getText(source));
  const text = said(node) || (asked ? `${summaries.get(asked[1])}.` : "");
  // What is made from a connection, `Reef` makes.
  if (has(node, ts.SyntaxKind.StaticKeyword)) return [];
  if (ts.isMethodDeclaration(node) || ts.isFunctionDeclaration(node)) return [[call(node, source), text]];
  const isField = ts.isPropertyDeclaration(node) || ts.isPropertySignature(node) || ts.isGetAccessor(node);
  if (!isField) return [];
  const type = `\`${cell(node.type?.getText(source) ?? "")}\``;
  return [[`${node.name.text}${node.questionToken ? "?" : ""}`, text || type]];
}

const table = (rows) => `| | |\n|---|---|\n${rows.map(([shown, text]) => `| \`${shown}\` | ${text} |`).join("\n")}\n`;

/** Two signatures of one method are one line, that of the longer. */
function once(rows) {
  const longest = new Map();
  for (const [shown, text] of rows) {
    const name = shown.split("(")[0].replace(/^await |^for await /, "");
    const before = longest.get(name);
    if (!before || before[0].length < shown.length) longest.set(name, [shown, text || before?.[1] || ""]);
    else before[1] ||= text;
  }
  return [...longest.values()];
}

/** The document's text. `sources` is the folder of the sources. */
export function reference(sources, api) {
  const operations = Object.values(api.paths).flatMap((methods) => Object.values(methods));
  const summaries = new Map(operations.map(({ operationId, summary }) => [operationId, summary]));
  const parts = [HEAD];
  for (const name of MODULES) {
    const text = readFileSync(new URL(`${name}.ts`, sources), "utf8");
    const source = ts.createSourceFile(`${name}.ts`, text, ts.ScriptTarget.Latest, true);
    const exported = source.statements.filter(
      (it) => has(it, ts.SyntaxKind.ExportKeyword) && it.name && !INSIDE.has(it.name.text),
    );
    parts.push(`## ${name}\n`);
    if (name === "errors") {
      // A class without a comment is named as the code of the hub's problem is.
      const code = (it) => it.name.text.replace(/(?!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
      const rows = exported.filter(ts.isClassDeclaration);
      parts.push(table(rows.map((it) => [it.name.text, said(it) || `The problem [\`${code(it)}\`](errors.md).`])));
      continue;
    }
    const functions = exported.filter(ts.isFunctionDeclaration);
    if (functions.length > 0) parts.push(table(once(functions.flatMap((it) => row(it, source, summaries)))));
    for (const it of exported.filter((it) => ts.isClassDeclaration(it) || ts.isInterfaceDeclaration(it))) {
      const text = said(it);
      parts.push(`**${it.name.text}**${text ? ` — ${text}` : ""}\n`);
      const rows = once(it.members.flatMap((member) => row(member, source, summaries)));
      if (rows.length > 0) parts.push(table(rows));
    }
  }
  return parts.join("\n");
}
