// The same on the package @modelcontextprotocol/client.
//
// Usage: node work.mjs URL KEY MODE PACKAGES; MODE is auto or legacy, PACKAGES the folder of node_modules.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [url, key, mode, packages] = process.argv.slice(2);
const require = createRequire(`${packages}/package.json`);
const { Client, StreamableHTTPClientTransport } = await import(
  pathToFileURL(require.resolve("@modelcontextprotocol/client")).href
);

const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode } });
const headers = { Authorization: `Bearer ${key}` };
await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
const result = (name, args = {}) => client.callTool({ name, arguments: args });
const call = async (name, args) => (await result(name, args)).structuredContent;

const { tools } = await client.listTools();
const { node } = await call("check_in", { skills: ["build"] });
await call("submit_task", { name: "t", required_skills: ["build"] });
const [task] = (await call("claim_task")).tasks;
const end = { task_id: task.task_id, token: task.token, outcome: "completed" };
const ended = await call("finish_task", end);
const again = await result("finish_task", end);
console.log(
  JSON.stringify({
    tools: tools.map((tool) => tool.name),
    agent: node.node_id,
    status: ended.status,
    error: again.isError ? again.structuredContent.problem.code : "no error",
  }),
);
await client.close();
