// Compiles Cube data model files with Cube's own compiler and writes SQL for queries in Cube's DuckDB dialect.
//
// A line of stdin is a question, a line of stdout its answer, until stdin ends:
//
// stdin:  {"files": {"cubes/orders.yml": "..."}, "queries": [{"measures": ["orders.count"]}]}
// stdout: {"cubes": [{"name", "type", "public", "measures": [], "dimensions": []}], "sql": [{"sql", "params"}]}
//         or {"error": "what Cube says"}
//
// Cube's native module is not there: it serves Jinja and Python, which the files do not use, and the newer of the two
// SQL planners. The older planner is asked for; a file that wants a template is refused.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

process.env.CUBEJS_TESSERACT_SQL_PLANNER = 'false';
process.env.CUBEJS_TELEMETRY = 'false';
const require = createRequire(process.cwd() + '/');
const { prepareCompiler } = require('@cubejs-backend/schema-compiler');
const { DuckDBQuery } = require('@cubejs-backend/duckdb-driver/dist/src/DuckDBQuery.js');

const refuse = () => {
  throw new Error('the file is a Jinja template');
};
const withoutNative = {
  newJinjaEngine: () => ({ loadTemplate: refuse, renderTemplate: refuse }),
  loadPythonContext: refuse,
};

const summary = ({ config }) => ({
  name: config.name,
  type: config.type,
  public: config.public,
  description: config.description ?? null,
  measures: config.measures.map((one) => ({ name: one.name, public: one.public, type: one.aggType ?? one.type })),
  dimensions: config.dimensions.map((one) => ({
    name: one.name,
    public: one.public,
    type: one.type,
    description: one.description ?? null,
  })),
  segments: config.segments.map((one) => ({ name: one.name, public: one.public })),
});

const compile = async ({ files, queries }) => {
  const dataSchemaFiles = async () => Object.entries(files).map(([fileName, content]) => ({ fileName, content }));
  const compilers = prepareCompiler(
    { localPath: () => 'model', dataSchemaFiles },
    { nativeInstance: withoutNative, allowNodeRequire: false, standalone: true },
  );
  await compilers.compiler.compile();
  const sql = queries.map((query) => {
    const [text, params] = new DuckDBQuery(compilers, {
      timezone: 'UTC',
      useNativeSqlPlanner: false,
      ...query,
    }).buildSqlAndParams();
    return { sql: text, params };
  });
  return { cubes: compilers.metaTransformer.cubes.map(summary), sql };
};

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await compile(JSON.parse(line)).catch((error) => ({ error: String(error.message) }));
  process.stdout.write(JSON.stringify(answer) + '\n');
}
process.exit(0);
