use std::time::Duration;

use bytes::Bytes;
use http_body_util::Empty;

use super::{Retired, Warm};
use crate::trial;
use crate::{Function, FunctionConfig, Limits, Sandbox, SandboxConfig};

async fn hello(warm: Warm) -> Function {
    let component = wat::parse_str(include_str!("../../examples/hello.wat")).unwrap();
    let sandbox = Sandbox::new(SandboxConfig::default().executions(10)).unwrap();
    let config = FunctionConfig::from(Limits::default()).warm(Some(warm));
    let function = sandbox.load_bytes(component, config).await.unwrap();
    function.try_instance().await.unwrap();
    function
}

async fn call(function: &Function) -> bool {
    let request = http::Request::post("/").body(Empty::<Bytes>::new());
    let done = function.call(request.unwrap()).await.unwrap();
    assert_eq!(done.response.status(), 200);
    done.usage.instantiation.is_some()
}

/// How many are idle, and how many were let go of for `reason`; for nothing else.
fn usage(function: &Function, reason: Retired) -> (usize, u64) {
    let usage = function.warm_usage().unwrap();
    let others = usage.retired.iter().filter(|(other, _)| *other != reason);
    assert_eq!(others.map(|(_, count)| count).sum::<u64>(), 0, "{usage:?}");
    let retired = usage.retired.iter().find(|(other, _)| *other == reason);
    (usage.idle, retired.unwrap().1)
}

/// Another thread makes instances ahead of need.
async fn wait_for(function: &Function, reason: Retired, wanted: (usize, u64)) {
    let begun = std::time::Instant::now();
    while usage(function, reason) != wanted {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "{:?}",
            usage(function, reason)
        );
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn an_instance_answers_as_many_requests_as_it_may() {
    let function = hello(Warm::default().requests(3)).await;
    let made = [call(&function).await, call(&function).await];
    assert_eq!(made, [true, false]);
    assert_eq!(usage(&function, Retired::Requests), (1, 0));
    assert!(!call(&function).await);
    assert_eq!(usage(&function, Retired::Requests), (0, 1));
    assert!(call(&function).await);
}

#[tokio::test]
async fn instances_answer_fewer_requests_by_up_to_an_eighth() {
    let function = hello(Warm::default().requests(80)).await;
    let mut counts = Vec::new();
    for _ in 0..1000 {
        match call(&function).await {
            true => counts.push(1),
            false => *counts.last_mut().unwrap() += 1,
        }
    }
    // The last one may have more to answer.
    counts.pop();
    assert!(
        counts.iter().all(|count| (70..=80).contains(count)),
        "{counts:?}"
    );
    assert!(counts.iter().any(|count| *count != counts[0]), "{counts:?}");
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_is_idle_for_too_long_is_let_go_of_by_itself() {
    let function = hello(Warm::default().idle_time(Duration::from_secs(60))).await;
    call(&function).await;
    tokio::time::sleep(Duration::from_secs(50)).await;
    call(&function).await;
    tokio::time::sleep(Duration::from_secs(59)).await;
    assert_eq!(usage(&function, Retired::Idle), (1, 0));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(usage(&function, Retired::Idle), (0, 1));
    assert!(call(&function).await, "it is watched again");
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(usage(&function, Retired::Idle), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_is_too_old_gets_no_further_request() {
    let warm = Warm::default().age(Duration::from_secs(10));
    let function = hello(warm).await;
    assert!(call(&function).await);
    tokio::time::advance(Duration::from_secs(8)).await;
    assert!(!call(&function).await);
    tokio::time::advance(Duration::from_secs(3)).await;
    assert!(call(&function).await);
    assert_eq!(usage(&function, Retired::Age), (1, 1));
}

#[tokio::test]
async fn no_more_lie_idle_than_may() {
    let function = hello(Warm::default().most_idle(0)).await;
    call(&function).await;
    assert_eq!(usage(&function, Retired::Surplus), (0, 1));
    assert!(call(&function).await);
}

#[tokio::test]
async fn memory_of_an_idle_instance_counts_until_the_function_is_gone() {
    let component = wat::parse_str(include_str!("../../examples/hello.wat")).unwrap();
    let sandbox = Sandbox::new(SandboxConfig::default().executions(10)).unwrap();
    let config = FunctionConfig::default().warm(Some(Warm::default()));
    let function = sandbox.load_bytes(component, config).await.unwrap();
    call(&function).await;
    let kept = sandbox.usage().memory;
    assert!(kept > 0);
    call(&function).await;
    assert_eq!(sandbox.usage().memory, kept);
    drop(function);
    assert_eq!(sandbox.usage().memory, 0);
    assert_eq!(sandbox.idle_memory(), 0);
}

#[tokio::test]
async fn as_many_as_there_are_to_be_at_the_least_are_made_ahead_and_again() {
    let function = hello(Warm::default().least(2).requests(2)).await;
    wait_for(&function, Retired::Requests, (2, 0)).await;
    assert!(!call(&function).await && !call(&function).await);
    wait_for(&function, Retired::Requests, (2, 1)).await;
}

#[tokio::test]
async fn more_than_the_least_are_let_go_of_when_they_are_idle() {
    let warm = Warm::default().least(1).idle_time(Duration::from_millis(1));
    let function = hello(warm).await;
    wait_for(&function, Retired::Idle, (1, 0)).await;
    let runnable = function.runnable();
    let another = trial::instantiate(runnable).await.unwrap();
    runnable.warm.as_ref().unwrap().put_new(another);
    wait_for(&function, Retired::Idle, (1, 1)).await;
}

/// What is kept for later gives way to what runs, and takes nothing from it.
#[tokio::test]
async fn what_is_made_ahead_gives_way_and_evicts_nobody() {
    let component = wat::parse_str(include_str!("../../examples/hello.wat")).unwrap();
    let config = SandboxConfig::default()
        .executions(10)
        .total_memory(3 << 16);
    let sandbox = Sandbox::new(config).unwrap();
    let load = |least| {
        let config = FunctionConfig::default().warm(Some(Warm::default().least(least)));
        let function = sandbox.load_bytes(component.clone(), config);
        async {
            let function = function.await.unwrap();
            function.try_instance().await.unwrap();
            function
        }
    };
    let first = load(2).await;
    wait_for(&first, Retired::Evicted, (2, 0)).await;
    let second = load(3).await;
    wait_for(&second, Retired::Evicted, (1, 0)).await;
    assert_eq!(usage(&first, Retired::Evicted), (2, 0));
    let fresh = sandbox.load_bytes(component.clone(), FunctionConfig::default());
    call(&fresh.await.unwrap()).await;
    assert_eq!(
        usage(&first, Retired::Evicted),
        (1, 1),
        "the one that was idle longest"
    );
}

#[tokio::test]
async fn one_that_keeps_handles_from_its_start_is_not_made_ahead() {
    let function = hello(Warm::default()).await;
    let mut instance = trial::instantiate(function.runnable()).await.unwrap();
    let fields = http::HeaderMap::new();
    instance.store.data_mut().table.push(fields).unwrap();
    let pool = function.runnable().warm.as_ref().unwrap();
    assert!(!pool.put_new(instance));
    assert_eq!(usage(&function, Retired::Handles), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_too_old_is_let_go_of_by_itself() {
    let (age, idle_time) = (Duration::from_secs(80), Duration::from_secs(1000));
    let function = hello(Warm::default().age(age).idle_time(idle_time)).await;
    call(&function).await;
    tokio::time::sleep(Duration::from_secs(69)).await;
    assert_eq!(usage(&function, Retired::Age), (1, 0));
    tokio::time::sleep(Duration::from_secs(12)).await;
    assert_eq!(usage(&function, Retired::Age), (0, 1));
}

/// A server may load a function on a runtime that ends with that, and nobody may call the function for hours.
#[test]
fn what_is_made_ahead_gets_no_older_than_it_may_without_the_runtime_that_loaded_it() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let (age, idle_time) = (Duration::from_millis(100), Duration::from_millis(1));
    let warm = Warm::default().least(1).age(age).idle_time(idle_time);
    let function = runtime().block_on(hello(warm));
    runtime().block_on(wait_for(&function, Retired::Age, (0, 1)));
}
