// Serves the page and the package: any web server does. The hub must allow its origin:
// reef up --variable cors_origins=http://127.0.0.1:5173

import { createReadStream } from "node:fs";
import { createServer } from "node:http";

const FILES = { "/": "index.html", "/chat.js": "chat.js" };
const PACKAGE = new URL("./", import.meta.resolve("reef-agents"));

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, "http://page");
  const [, module] = pathname.match(/^\/reef-agents\/([\w-]+\.js)$/) ?? [];
  const file = module ? new URL(module, PACKAGE) : FILES[pathname] && new URL(FILES[pathname], import.meta.url);
  if (!file) return response.writeHead(404).end();
  const type = pathname.endsWith(".js") ? "text/javascript" : "text/html; charset=utf-8";
  createReadStream(file)
    .once("open", () => response.writeHead(200, { "Content-Type": type }))
    .once("error", () => response.writeHead(404).end())
    .pipe(response);
});
server.listen(Number(process.env.PORT ?? 5173), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
