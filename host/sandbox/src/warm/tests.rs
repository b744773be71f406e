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
    sandbox.load_bytes(component, config).await.unwrap()
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
    tokio::time::advance(Duration::from_secs(9)).await;
    assert!(!call(&function).await);
    tokio::time::advance(Duration::from_secs(2)).await;
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
}

#[tokio::test(start_paused = true)]
async fn as_many_as_there_are_to_be_at_the_least_are_made_ahead_and_stay() {
    let warm = Warm::default().least(2).requests(2);
    let function = hello(warm).await;
    assert_eq!(usage(&function, Retired::Idle), (2, 0));
    assert!(!call(&function).await && !call(&function).await);
    tokio::task::yield_now().await;
    assert_eq!(
        usage(&function, Retired::Requests),
        (2, 1),
        "another was made"
    );
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(usage(&function, Retired::Requests), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn more_than_the_least_are_let_go_of_when_they_are_idle() {
    let warm = Warm::default().least(1);
    let function = hello(warm).await;
    let runnable = function.runnable();
    let another = trial::instantiate(runnable).await.unwrap();
    runnable.warm.as_ref().unwrap().put_new(another);
    assert_eq!(usage(&function, Retired::Idle), (2, 0));
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(usage(&function, Retired::Idle), (1, 1));
}

/// What is kept for later gives way to what runs, and takes nothing back from it.
#[tokio::test(start_paused = true)]
async fn what_is_made_ahead_waits_until_there_is_memory() {
    let component = wat::parse_str(include_str!("../../examples/hello.wat")).unwrap();
    let config = SandboxConfig::default()
        .executions(10)
        .total_memory(3 << 16);
    let sandbox = Sandbox::new(config).unwrap();
    let warm = FunctionConfig::default().warm(Some(Warm::default().least(3)));
    let warm = sandbox.load_bytes(component.clone(), warm).await.unwrap();
    assert_eq!(usage(&warm, Retired::Evicted), (3, 0));
    let other = sandbox.load_bytes(component, FunctionConfig::default());
    call(&other.await.unwrap()).await;
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert_eq!(
        usage(&warm, Retired::Evicted),
        (3, 1),
        "the other one has ended"
    );
}
