import tseslint from "typescript-eslint"

// The core works on event time alone: whatever it needs from the world comes in as an argument.
const pureCore = ["domain", "connections", "detectors", "policy", "scoring", "findings", "incidents"].map(
  (room) => `analyzer/src/${room}/**/*.ts`,
)

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
  {
    files: pureCore,
    ignores: ["**/*.test.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            {
              group: ["node:*", "@grpc/*", "kafkajs", "@clickhouse/*", "chdb*", "pino", "prom-client", "protobufjs*"],
              message: "the core is pure",
            },
            {
              group: [
                "**/ingest/**",
                "**/store/**",
                "**/sinks/**",
                "**/alerts/**",
                "**/web/**",
                "**/telemetry/**",
                "**/command/**",
              ],
              message: "the line runs one way",
            },
          ],
        },
      ],
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
  },
  { files: ["**/*.js", "**/*.mjs"], ...tseslint.configs.disableTypeChecked },
)
