//! What the host holds of HTTP fields, paths and trailers for a guest counts as the guest's memory.

use tests::{Host, Origin, Reply};

/// A host whose guest may hold 32 MiB in all, of which it needs two or three for itself.
fn small(guest: &str) -> Host {
    Host::serve(guest).arg("--memory=32Mi").start()
}

/// That the execution behind `reply` was ended because of what the host held for it, and that nothing of it is left.
#[track_caller]
fn assert_held_too_much(host: &Host, reply: &Reply) {
    assert_eq!(
        (reply.status, reply.text()),
        (500, "The function failed.\n")
    );
    assert_eq!(host.finish_of(reply), "status: 'out of memory'");
    let (_, reason) = host.printed_by(reply).pop().expect("the host says why");
    let (first, second) = reason.split_once('\n').unwrap_or_default();
    assert_eq!(
        first,
        "wanted more memory than its limit of 32 MiB; raise it with --memory"
    );
    assert!(second.starts_with("HTTP fields, paths"), "{reason}");
    assert_eq!(host.metric("host_instances_memory_bytes"), 0.0);
}

/// Sets of fields of some 116 KiB each.
#[test]
fn fields_in_many_objects_count_as_memory() {
    let host = small("floods_fields");
    let reply = host.get("/?objects=150&count=100");
    assert_eq!(reply.text(), "made 150\n");
    assert_held_too_much(&host, &host.get("/?objects=300&count=100"));
}

#[test]
fn fields_that_were_let_go_count_no_longer() {
    let host = small("floods_fields");
    let reply = host.get("/?objects=1000&count=100&keep=0");
    assert_eq!(reply.text(), "made 1000\n");
    // Some 18 MiB, which a guest with 25 MiB of its own could not have had beside them.
    let reply = host.get("/?objects=150&count=100&then_mib=25");
    assert_eq!(reply.text(), "made 150\n");
}

#[test]
fn a_copy_of_fields_counts_as_much_as_they_do() {
    let host = small("floods_fields");
    let reply = host.get("/?objects=150&count=100&how=clone");
    assert_eq!(reply.text(), "made 150\n");
    assert_held_too_much(&host, &host.get("/?objects=300&count=100&how=clone"));
}

#[test]
fn paths_of_requests_to_the_outside_count_as_memory() {
    let host = small("floods_heads");
    let reply = host.get("/?part=path&size=60000&requests=300");
    assert_eq!(reply.text(), "taken\n");
    assert_held_too_much(&host, &host.get("/?part=path&size=60000&requests=600"));
}

#[test]
fn trailers_that_wait_for_their_body_to_be_sent_count_as_memory() {
    let host = small("floods_heads");
    let reply = host.get("/?part=trailers&size=100000&requests=200");
    assert_eq!(reply.text(), "taken\n");
    assert_held_too_much(&host, &host.get("/?part=trailers&size=100000&requests=400"));
}

#[test]
fn fields_that_a_guest_receives_count_as_memory() {
    let origin = Origin::start();
    let host = Host::serve("calls_out")
        .arg("--memory=32Mi")
        .arg(format!("--allow-outbound=http://{}", origin.addr()))
        .start();
    let heavy = format!("url=http://{}/heavy?60000", origin.addr());
    let reply = host.get(&format!("/?n=300&keep=1&{heavy}"));
    assert_eq!((reply.status, reply.text()), (200, "here\n"));
    let reply = host.get(&format!("/?n=800&{heavy}"));
    assert_eq!(
        (reply.status, reply.text()),
        (200, "here\n"),
        "none is kept"
    );
    assert_held_too_much(&host, &host.get(&format!("/?n=800&keep=1&{heavy}")));
}
