import { readFileSync } from "node:fs"
import tseslint from "typescript-eslint"

// Each room of the analyzer with the rooms that it may import, from the ground up; errors.ts is open to all.
const rooms = JSON.parse(readFileSync(new URL("analyzer/rooms.json", import.meta.url), "utf8"))

// These work on event time alone: whatever they need from the world comes in as an argument.
const pureRooms = [
  "domain",
  "text",
  "connections",
  "policy",
  "scoring",
  "detectors",
  "findings",
  "incidents",
  "pipeline",
  "documents",
]

const floors = Object.entries(rooms).map(([room, below]) => {
  const above = Object.keys(rooms).filter((other) => other !== room && !below.includes(other))
  const patterns = [
    {
      regex: `^(\\.\\./)+(${above.join("|")})/`,
      message: `${room}/ may import ${below.length === 0 ? "no other room" : below.join(", ")} (analyzer/rooms.json)`,
    },
    { regex: "^(\\.\\./)+testing/", message: "testing/ is for tests" },
  ]
  if (pureRooms.includes(room)) {
    const group = ["node:*", "@grpc/*", "kafkajs", "@clickhouse/*", "chdb*", "pino", "prom-client", "protobufjs*"]
    patterns.push({ group, message: "the core is pure" })
  }
  return {
    files: [`analyzer/src/${room}/**/*.ts`],
    ignores: ["**/*.test.ts"],
    rules: { "no-restricted-imports": ["error", { patterns }] },
  }
})

const pureCore = {
  files: pureRooms.map((room) => `analyzer/src/${room}/**/*.ts`),
  ignores: ["**/*.test.ts"],
  rules: {
    "no-restricted-globals": ["error", "process", "performance", "setTimeout", "setInterval", "fetch", "console"],
    "no-restricted-properties": [
      "error",
      { object: "Date", property: "now", message: "event time comes in as an argument" },
      { object: "Math", property: "random", message: "a replay must give the same bytes" },
    ],
    "no-restricted-syntax": [
      "error",
      {
        selector: "NewExpression[callee.name='Date'][arguments.length=0]",
        message: "event time comes in as an argument",
      },
    ],
  },
}

export default tseslint.config(
  { ignores: ["**/node_modules/**", "**/dist/**", "**/gen/**", "**/target/**"] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ["eslint.config.js"] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      "max-lines": ["error", { max: 350, skipBlankLines: true, skipComments: true }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/no-confusing-void-expression": "off",
      "@typescript-eslint/no-non-null-assertion": "error",
    },
  },
  ...floors,
  pureCore,
  { files: ["**/*.js", "**/*.mjs"], ...tseslint.configs.disableTypeChecked },
)
