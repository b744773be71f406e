//! The filters of a query.

use super::*;

#[test]
fn an_execution_is_found_among_others_and_nothing_else_is() {
    let entries: Vec<_> = (0..200).map(|n| printed("f", n, &n.to_string())).collect();
    let log = Log::of(entries.clone());
    for (n, entry) in entries.iter().enumerate() {
        let query = Query {
            execution_id: Some(entry.execution_id().into()),
            ..all()
        };
        assert_eq!(log.read(&query), [n.to_string()]);
    }
    for absent in ["zzzzzzzzzzzz", "", "\"", "x\\"] {
        let query = Query {
            execution_id: Some(absent.into()),
            ..all()
        };
        assert!(log.read(&query).is_empty());
    }
}

#[test]
fn a_function_is_found_by_its_whole_name() {
    let names = ["f", "ff", "with \"quotes\" \\ and 世界"];
    let log = Log::of((0..90).map(|n| printed(names[n % 3], n as u64, &n.to_string())));
    for (n, name) in names.iter().enumerate() {
        let query = Query {
            function: Some((*name).into()),
            ..all()
        };
        let expected: Vec<_> = (n..90).step_by(3).map(|n| n.to_string()).collect();
        assert_eq!(log.read(&query), expected);
    }
    let query = Query {
        function: Some("g".into()),
        ..all()
    };
    assert!(log.read(&query).is_empty());
}

#[test]
fn entries_are_found_by_severity_and_by_minimum_severity() {
    let note = |n: usize| {
        let severity = Severity::ALL[n % 9];
        Entry::note("f".into(), None, severity, severity.name().into())
    };
    let log = Log::of((0..90).map(note));
    for severity in Severity::ALL {
        let query = Query {
            severity: Some(severity),
            ..all()
        };
        assert_eq!(log.read(&query), vec![severity.name(); 10]);
        let query = Query {
            min_severity: Some(severity),
            ..all()
        };
        let from = Severity::ALL.iter().filter(|other| **other >= severity);
        assert_eq!(log.read(&query).len(), from.count() * 10);
    }
}

#[test]
fn times_filter_entries_in_any_order_of_writing() {
    let log = Log::of((0..100).map(|n| printed("f", n * 37 % 100, &(n * 37 % 100).to_string())));
    for (start, end) in [(0, 100), (30, 60), (99, 100), (50, 50), (60, 30)] {
        let query = Query {
            start: Some(at(start)),
            end: Some(at(end)),
            ..all()
        };
        let expected = count(start as u32..(end.max(start)) as u32);
        assert_eq!(log.read(&query), expected);
    }
}

#[test]
fn ends_are_found_by_status_and_similar_text_is_not() {
    let finished = |code| {
        let status = FinishStatus::Code(code);
        Entry::finished("f".into(), ExecutionId::random(), Duration::ZERO, status)
    };
    let failed = Entry::finished(
        "f".into(),
        ExecutionId::random(),
        Duration::ZERO,
        FinishStatus::Word("timeout"),
    );
    let forged = printed("f", 0, r#"{"httpRequest":{"status":500}}"#);
    let log = Log::of(
        [200, 404, 500, 503]
            .map(finished)
            .into_iter()
            .chain([failed, forged]),
    );
    for (status, count) in [(500..=500, 1), (500..=599, 2), (0..=999, 4), (201..=201, 0)] {
        let query = Query {
            status: Some(status.clone()),
            ..all()
        };
        assert_eq!(log.read(&query).len(), count, "{status:?}");
    }
}

#[test]
fn traces_and_jobs_are_found() {
    let mut entry = printed("f", 0, "one");
    entry.job = Some("nightly".into());
    entry.trace = Some(Trace {
        trace_id: [0xab; 16],
        span_id: [1; 8],
    });
    let said = r#"{"message":"two","logging.googleapis.com/trace":"projects/p/traces/0af7"}"#;
    let forged = r#"{"message":"three","trace":"0af7","labels":{"job_id":"nightly"}}"#;
    let log = Log::of([entry, printed("f", 1, said), printed("f", 2, forged)]);
    let by_trace = |trace: &str| {
        log.read(&Query {
            trace: Some(trace.into()),
            ..all()
        })
    };
    assert_eq!(by_trace(&"ab".repeat(16)), ["one"]);
    assert_eq!(by_trace("0af7"), ["two"]);
    assert_eq!(by_trace("projects/p/traces/0af7"), ["two"]);
    assert!(by_trace("0af").is_empty());
    let by_job = Query {
        job: Some("nightly".into()),
        ..all()
    };
    assert_eq!(log.read(&by_job), ["one"]);
}
