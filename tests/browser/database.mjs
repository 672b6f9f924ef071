// An empty database for a server of a test: a SQLite file, or one on the PostgreSQL server that the run names.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const psql = process.env.TRIBUTARY_TEST_PSQL;
const server = process.env.TRIBUTARY_TEST_POSTGRES;
let count = 0;

function sql(text) {
  const done = spawnSync(psql, ["-q", "-X", "-v", "ON_ERROR_STOP=1", `${server}/postgres`, "-c", text], { encoding: "utf8" });
  if (done.status !== 0) throw new Error(`${text}: ${done.stderr}`);
}

/** Its URL, and how to be rid of it; a file goes with its folder. */
export function emptyDatabase(folder) {
  if (!psql) return { url: `sqlite:${join(folder, "tributary.db")}`, drop() {} };
  const name = `browser_${process.pid}_${++count}`;
  sql(`create database ${name}`);
  return { url: `${server}/${name}`, drop: () => sql(`drop database if exists ${name} with (force)`) };
}
