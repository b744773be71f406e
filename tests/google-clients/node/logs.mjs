// Log entries, by @google-cloud/logging.
import { randomUUID } from "node:crypto";
import { check, finish, load, owner, project, refused, viewer } from "./checks.mjs";

const { Logging } = load("@google-cloud/logging");
const logs = new Logging(owner);
const log = logs.log("my-log");
const run = randomUUID();
const labels = { run };
const resource = { type: "global" };
const own = `labels.run="${run}"`;

async function found(filter, further) {
  const [entries] = await logs.getEntries({ filter: `${own} AND ${filter}`, orderBy: "timestamp asc", ...further });
  return entries;
}

await log.write(log.entry({ resource, labels, severity: "INFO" }, "hello"));
await log.write([
  log.entry({ resource, labels, severity: "WARNING" }, { message: "look out", number: 7 }),
  log.entry({ resource, labels, severity: "ERROR", trace: `projects/${project}/traces/t` }, "broken"),
]);
const all = await found("severity>=INFO");
check("write: what was written can be read", all.map((entry) => entry.data.message ?? entry.data), ["hello", "look out", "broken"]);
check("write: all of it", [all[2].metadata.severity, all[2].metadata.trace, all[2].metadata.logName], ["ERROR", `projects/${project}/traces/t`, `projects/${project}/logs/my-log`]);
check("filter: a number", (await found("jsonPayload.number=7")).length, 1);
check("filter: a text", (await found('textPayload:"brok"')).map((entry) => entry.data), ["broken"]);
check("order: the newest first", (await found("severity>=INFO", { orderBy: "timestamp desc" })).map((entry) => entry.metadata.severity), ["ERROR", "WARNING", "INFO"]);
await refused("filter: one that is none", 400, "INVALID_ARGUMENT", () => logs.getEntries({ filter: "severity>=" }));

const sizes = [];
for (let query = { filter: own, pageSize: 2, autoPaginate: false, orderBy: "timestamp asc" }; query;) {
  const [entries, next] = await logs.getEntries(query);
  sizes.push(entries.length);
  query = next?.pageToken ? { ...query, pageToken: next.pageToken } : null;
}
check("pages", sizes, [2, 1]);
const [names] = await logs.getLogs();
check("logs", names.some((one) => one.name === "my-log"));

const reader = new Logging(viewer);
const [seen] = await reader.getEntries({ filter: `${own} AND severity=ERROR` });
check("a viewer reads", seen.length, 1);
await refused("a viewer writes none", 403, "IAM_PERMISSION_DENIED", () => reader.log("my-log").write(reader.log("my-log").entry({ resource }, "no")));
finish();
