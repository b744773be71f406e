// Jobs, by @google-cloud/scheduler.
import { account, check, finish, load, owner, parent, refused, viewer } from "./checks.mjs";

const { CloudSchedulerClient } = load("@google-cloud/scheduler").v1;
const jobs = new CloudSchedulerClient(owner);
const name = `${parent}/jobs/node-job`;

const target = {
  uri: "http://127.0.0.1:1/hello_world",
  httpMethod: "PUT",
  headers: { "X-A": "b" },
  body: Buffer.from('{"name": "Scheduler"}').toString("base64"),
  oidcToken: { serviceAccountEmail: account },
};
const job = {
  name,
  description: "A job",
  schedule: "0 * * * *",
  timeZone: "Australia/Sydney",
  attemptDeadline: { seconds: 30 },
  httpTarget: target,
};

const [created] = await jobs.createJob({ parent, job });
check("create: it is enabled", [created.name, created.state, created.schedule], [name, "ENABLED", "0 * * * *"]);
check("create: what was sent is there", [created.httpTarget.uri, created.httpTarget.httpMethod, created.httpTarget.headers], [target.uri, "PUT", target.headers]);
await refused("create: it is there already", 409, "ALREADY_EXISTS", () => jobs.createJob({ parent, job }));
const [read] = await jobs.getJob({ name });
check("get: it is the same", [read.schedule, read.timeZone, Buffer.from(read.httpTarget.body).toString()], ["0 * * * *", "Australia/Sydney", '{"name": "Scheduler"}']);

const change = { name, schedule: "30 * * * *", description: "no", httpTarget: { uri: "http://x/" } };
const [changed] = await jobs.updateJob({ job: change, updateMask: { paths: ["schedule", "http_target.uri"] } });
check("update: what the mask names", [changed.schedule, changed.httpTarget.uri], ["30 * * * *", "http://x/"]);
check("update: nothing else", [changed.description, changed.httpTarget.httpMethod], ["A job", "PUT"]);
const [cleared] = await jobs.updateJob({ job: { name }, updateMask: { paths: ["description"] } });
check("update: what the mask names and is absent", cleared.description, "");

for (let number = 0; number < 4; number += 1) {
  await jobs.createJob({ parent, job: { ...job, name: `${parent}/jobs/other-${number}` } });
}
const sizes = [];
const names = new Set();
for (let pageToken = ""; pageToken !== undefined;) {
  const [page, , answer] = await jobs.listJobs({ parent, pageSize: 2, pageToken }, { autoPaginate: false });
  sizes.push(page.length);
  page.forEach((one) => names.add(one.name));
  pageToken = answer.nextPageToken || undefined;
}
check("list: pages", [sizes, names.size], [[2, 2, 1], 5]);
const all = [];
for await (const one of jobs.listJobsAsync({ parent, pageSize: 2 })) all.push(one.name);
check("list: page by page", all.length, 5);

const [paused] = await jobs.pauseJob({ name });
check("pause", paused.state, "PAUSED");
await refused("pause: it is paused", 412, "FAILED_PRECONDITION", () => jobs.pauseJob({ name }));
const [resumed] = await jobs.resumeJob({ name });
check("resume", resumed.state, "ENABLED");
const [run] = await jobs.runJob({ name });
check("run", run.name, name);

const reader = new CloudSchedulerClient(viewer);
const [listed] = await reader.listJobs({ parent });
check("a viewer lists", listed.length, 5);
await refused("a viewer deletes none", 403, "IAM_PERMISSION_DENIED", () => reader.deleteJob({ name }));

await jobs.deleteJob({ name });
await refused("delete: it is gone", 404, "NOT_FOUND", () => jobs.deleteJob({ name }));
await refused("get: it is gone", 404, "NOT_FOUND", () => jobs.getJob({ name }));
finish();
