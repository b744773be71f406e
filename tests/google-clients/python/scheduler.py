"""Jobs, by google-cloud-scheduler."""

import google.auth.exceptions
from google.cloud import scheduler_v1
from google.oauth2.credentials import Credentials
from google.protobuf import duration_pb2, field_mask_pb2

from checks import ACCOUNT, LOCATION, PARENT, PROJECT, VIEWER, check, client, discovered, finish, refused

Job, HttpMethod = scheduler_v1.Job, scheduler_v1.HttpMethod
jobs = client(scheduler_v1.CloudSchedulerClient)
name = f"{PARENT}/jobs/my-hourly-job"


def job(name, **fields):
    target = scheduler_v1.HttpTarget(
        uri="http://127.0.0.1:1/hello_world",
        http_method=HttpMethod.PUT,
        headers={"X-A": "b"},
        body=b'{"name": "Scheduler"}',
        oidc_token=scheduler_v1.OidcToken(service_account_email=ACCOUNT, audience="http://a"),
    )
    return Job(
        name=name,
        schedule="0 * * * *",
        time_zone="Australia/Sydney",
        http_target=target,
        retry_config=scheduler_v1.RetryConfig(retry_count=2),
        attempt_deadline=duration_pb2.Duration(seconds=30),
        **fields,
    )


def update(changed, *paths, **named):
    mask = field_mask_pb2.FieldMask(paths=paths) if paths else None
    return jobs.update_job(job=changed, update_mask=mask, **named)


created = jobs.create_job(parent=PARENT, job=job(name, description="A job"))
check("create: the name", created.name, name)
check("create: what was sent is there", job(name, description="A job"), Job(
    name=created.name, description=created.description, schedule=created.schedule, time_zone=created.time_zone,
    http_target=created.http_target, attempt_deadline=created.attempt_deadline,
    retry_config=scheduler_v1.RetryConfig(retry_count=created.retry_config.retry_count),
))
check("create: it is enabled and has a next time", (created.state, bool(created.schedule_time)), (Job.State.ENABLED, True))
refused("create: it is there already", 409, "ALREADY_EXISTS", jobs.create_job, parent=PARENT, job=job(name))
refused("create: the name of another project's", 400, "INVALID_ARGUMENT", jobs.create_job, parent=PARENT,
        job=job("projects/other/locations/us-central1/jobs/j"))
check("get: it is the same", jobs.get_job(name=name), created)

changed = update(Job(name=name, schedule="30 * * * *", http_target={"uri": "http://x/"}), "schedule", "http_target.uri")
check("update: what the mask names", (changed.schedule, changed.http_target.uri), ("30 * * * *", "http://x/"))
check("update: nothing else", (changed.http_target.body, changed.description), (created.http_target.body, "A job"))
check("update: what the mask names and is absent", update(Job(name=name), "description").description, "")
check("update: a method as a number", update(Job(name=name, http_target={"http_method": 6}), "http_target.http_method")
      .http_target.http_method, HttpMethod.PATCH)
refused("update: a schedule that is none", 400, "INVALID_ARGUMENT", update, Job(name=name, schedule="never"), "schedule")
refused("update: a field that is none", 400, "INVALID_ARGUMENT", update, Job(name=name), "no_such_field")
refused("update: a job that is none", 404, "NOT_FOUND", update, Job(name=f"{PARENT}/jobs/none"), "description")

for number in range(4):
    jobs.create_job(parent=PARENT, job=job(f"{PARENT}/jobs/other-{number}"))
pages = list(jobs.list_jobs(scheduler_v1.ListJobsRequest(parent=PARENT, page_size=2)).pages)
check("list: pages", [len(page.jobs) for page in pages], [2, 2, 1])
names = [job.name for page in pages for job in page.jobs]
check("list: each job once", sorted(names), sorted({name, *(f"{PARENT}/jobs/other-{number}" for number in range(4))}))
check("list: all on one page", len(list(jobs.list_jobs(parent=PARENT))), 5)
refused("list: a page that is none", 400, "INVALID_ARGUMENT", jobs.list_jobs,
        scheduler_v1.ListJobsRequest(parent=PARENT, page_token="!"))

check("pause", jobs.pause_job(name=name).state, Job.State.PAUSED)
refused("pause: it is paused", 412, "FAILED_PRECONDITION", jobs.pause_job, name=name)
check("resume", jobs.resume_job(name=name).state, Job.State.ENABLED)
refused("resume: it is not paused", 412, "FAILED_PRECONDITION", jobs.resume_job, name=name)
check("run", jobs.run_job(name=name).name, name)

places = discovered("cloudscheduler", "v1").projects().locations().list(name=f"projects/{PROJECT}").execute()
check("locations", [place["locationId"] for place in places["locations"]], [LOCATION])

viewer = client(scheduler_v1.CloudSchedulerClient, VIEWER)
check("a viewer lists", len(list(viewer.list_jobs(parent=PARENT))), 5)
error = refused("a viewer creates none", 403, "IAM_PERMISSION_DENIED", viewer.create_job, parent=PARENT, job=job(f"{PARENT}/jobs/j"))
check("a viewer is told what it lacks", (error.domain, error.metadata["permission"]), ("host", "cloudscheduler.jobs.create"))
refused("a viewer deletes none", 403, "IAM_PERMISSION_DENIED", viewer.delete_job, name=name)
try:
    client(scheduler_v1.CloudSchedulerClient, Credentials("none")).get_job(name=name)
    check("a token that is none", "no error", "an error")
except google.auth.exceptions.RefreshError:
    check("a token that is none", True)

check("delete", jobs.delete_job(name=name), None)
error = refused("delete: it is gone", 404, "NOT_FOUND", jobs.delete_job, name=name)
check("delete: what is gone is named", error.metadata["resource"], name)
refused("get: it is gone", 404, "NOT_FOUND", jobs.get_job, name=name)
refused("another project", 404, "NOT_FOUND", jobs.get_job, name="projects/other/locations/us-central1/jobs/j")
refused("another location", 404, "NOT_FOUND", jobs.get_job, name=f"projects/{PROJECT}/locations/europe-west1/jobs/j")
finish()
