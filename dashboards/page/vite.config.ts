import { defineConfig } from "vite"

// Addresses are relative and nothing is inline: the analyzer serves the page with a content security policy that allows
// its own files alone.
export default defineConfig({
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: { assetsInlineLimit: 0, modulePreload: { polyfill: false }, target: "es2022" },
})
