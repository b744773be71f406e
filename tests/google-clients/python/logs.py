"""Log entries, by google-cloud-logging."""

import datetime
import logging
import uuid

import google.cloud.logging
from google.cloud.logging_v2.handlers import CloudLoggingHandler
from google.cloud.logging_v2.handlers.transports import SyncTransport

from checks import OPTIONS, OWNER, PROJECT, VIEWER, check, discovered, finish, refused, skipped


def client(credentials=OWNER):
    return google.cloud.logging.Client(project=PROJECT, credentials=credentials, client_options=OPTIONS, _use_grpc=False)


logs = client()
run = uuid.uuid4().hex
logger = logs.logger("my-log", labels={"run": run})
name = f"projects/{PROJECT}/logs/my-log"
own = f'labels.run="{run}"'


def found(filter, **named):
    return [entry.payload for entry in logs.list_entries(filter_=f"{own} AND {filter}" if filter else own, **named)]


logger.log_text("hello", severity="INFO")
logger.log_text("look out", severity="WARNING")
logger.log_struct({"message": "broken", "number": 7, "inner": {"word": "deep"}}, severity="ERROR", trace=f"projects/{PROJECT}/traces/t")
texts = [payload if isinstance(payload, str) else payload.get("message") for payload in found("")]
check("write: what was written can be read", [text for text in texts if text], ["hello", "look out", "broken"])
entry = next(iter(logs.list_entries(filter_=f"{own} AND severity>=ERROR")))
check("write: all of it", (entry.severity, entry.log_name, entry.payload["number"], entry.trace, entry.labels["run"]),
      ("ERROR", name, 7, f"projects/{PROJECT}/traces/t", run))
check("write: who asks gets a time and an id", (bool(entry.timestamp), bool(entry.insert_id)), (True, True))

check("filter: severity by its name", found("severity=WARNING"), ["look out"])
check("filter: severity by its order", len(found("severity>INFO")), 2)
check("filter: a text", found('textPayload="hello"'), ["hello"])
check("filter: a part of it", found('textPayload:"LOOK"'), ["look out"])
check("filter: a pattern", found('textPayload=~"^he.+o$"'), ["hello"])
check("filter: a number and a field within", len(found('jsonPayload.number>6 jsonPayload.inner.word="deep"')), 1)
check("filter: not, or and parentheses", sorted(found('(textPayload="hello" OR textPayload="look out") NOT severity=INFO')), ["look out"])
check("filter: a log", len(found(f'logName="{name}" severity>=INFO')), 3)
later = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)).isoformat()
check("filter: a time", found(f'timestamp>="{later}"'), [])
refused("filter: one that is none", 400, "INVALID_ARGUMENT", lambda: list(logs.list_entries(filter_="severity>=")))

descending = found("severity>=INFO", order_by=google.cloud.logging.DESCENDING)
check("order: the newest first", descending, found("severity>=INFO")[::-1])
for number in range(5):
    logger.log_text(f"page {number}", severity="NOTICE")
check("pages: of two", found("severity=NOTICE", page_size=2), [f"page {number}" for number in range(5)])
check("pages: no more than asked for", found("severity=NOTICE", max_results=3, page_size=2), [f"page {number}" for number in range(3)])

batch = logger.batch()
batch.log_text("one of two", severity="DEBUG")
batch.log_struct({"message": "two of two"}, severity="DEBUG")
batch.commit()
check("write: many at once", len(found("severity=DEBUG")), 2)

handler = CloudLoggingHandler(logs, name="py", transport=SyncTransport, labels={"run": run})
writer = logging.getLogger("x")
writer.setLevel(logging.INFO)
writer.addHandler(handler)
writer.propagate = False
writer.info("from handler")
entry = next(iter(logs.list_entries(filter_=f'{own} AND logName="projects/{PROJECT}/logs/py" AND severity=INFO')))
check("handler", ("from handler" in str(entry.payload), entry.labels["python_logger"], entry.source_location["function"]), (True, "x", "<module>"))

listed = discovered("logging", "v2").projects().logs().list(parent=f"projects/{PROJECT}").execute()
check("logs", {name, f"projects/{PROJECT}/logs/py"} <= set(listed["logNames"]), True)
listed = discovered("logging", "v2").projects().logs().list(parent=f"projects/{PROJECT}", pageSize=1).execute()
check("logs: pages", (len(listed["logNames"]), bool(listed["nextPageToken"])), (1, True))

viewer = client(VIEWER)
check("a viewer reads", len(list(viewer.list_entries(filter_=f"{own} severity=ERROR"))), 1)
refused("a viewer writes none", 403, "IAM_PERMISSION_DENIED", viewer.logger("my-log").log_text, "no")
refused("another project", 404, "NOT_FOUND", lambda: list(logs.list_entries(resource_names=["projects/other"])))
refused("sinks: there are none", 501, "METHOD_NOT_FOUND", lambda: list(logs.list_sinks()))
skipped("entries:tail", "it is gRPC alone; `host logs read --follow` is the host's own")
finish()
