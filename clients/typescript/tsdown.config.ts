import { defineConfig } from "tsdown";

export default defineConfig({
  entry: ["src/index.ts", "src/node.ts"],
  format: "esm",
  platform: "neutral",
  target: "es2022",
  dts: true,
  // For who compiles with a `lib` that does not know `Symbol.asyncDispose`.
  banner: { dts: '/// <reference lib="esnext.disposable" />' },
  external: [/^node:/],
  // What an importer names is what is there.
  outExtensions: () => ({ js: ".js", dts: ".d.ts" }),
});
