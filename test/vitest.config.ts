import { defineConfig } from "vitest/config"

// One file at a time: the lab and the scenarios watch the whole machine, and timing is part of what they show.
export default defineConfig({
  test: { include: ["**/*.test.ts"], exclude: ["dist/**", "node_modules/**"], fileParallelism: false },
})
