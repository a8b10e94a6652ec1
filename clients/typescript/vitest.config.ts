import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/setup.ts",
    // A stuck one ends with a name; none is as slow as this.
    testTimeout: 90_000,
    hookTimeout: 60_000,
  },
});
