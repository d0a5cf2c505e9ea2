//! Many requests at the same moment, and clients that hang up.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use auth_core::SimulatedClock;
use auth_core::gate::Gate;
use auth_core::verify::introspection::IntrospectionServer;
use futures_util::future::join_all;
use serde_json::json;
use tokio::task::JoinHandle;

use super::{START, active, builder, decided, inactive, settings, verifier};
use crate::gateway::soon;
use crate::stand_in::AuthorizationServer;

/// A gate whose server answers once told to, and how many requests wait for it.
#[derive(Clone)]
struct Stage {
    server: AuthorizationServer,
    clock: Arc<SimulatedClock>,
    gate: Arc<Gate>,
    waiting: Arc<AtomicUsize>,
}

impl Stage {
    fn new(settings: IntrospectionServer) -> Self {
        let server = AuthorizationServer::hesitant(&active(&json!({})));
        let clock = Arc::new(SimulatedClock::at_unix_seconds(START));
        let gate = builder(verifier(settings, &server), &clock).build().unwrap();
        Self { server, clock, gate: Arc::new(gate), waiting: Arc::default() }
    }

    fn ask(&self, token: &str) -> JoinHandle<(u16, &'static str)> {
        let (stage, token) = (self.clone(), token.to_owned());
        tokio::spawn(async move {
            let mut decision = pin!(decided(&stage.gate, "/read", &token));
            if let Poll::Ready(decided) = poll_fn(|context| Poll::Ready(decision.as_mut().poll(context))).await {
                return decided;
            }
            stage.waiting.fetch_add(1, Ordering::SeqCst);
            decision.await
        })
    }

    /// Waits until so many requests have begun to wait in all, and so many questions are under way.
    async fn settle(&self, waiting: usize, under_way: usize) {
        let settled = async {
            while self.waiting.load(Ordering::SeqCst) != waiting || self.server.under_way() != under_way {
                tokio::task::yield_now().await;
            }
        };
        soon("the questions", settled).await;
    }
}

async fn statuses(requests: Vec<JoinHandle<(u16, &'static str)>>) -> Vec<u16> {
    let answers = soon("every answer", join_all(requests)).await;
    answers.into_iter().map(|answer| answer.unwrap().0).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_requests_with_one_token_are_one_question() {
    for _ in 0..20 {
        let stage = Stage::new(settings());
        let requests: Vec<_> = (0..200).map(|_| stage.ask("opaque")).collect();
        stage.settle(200, 1).await;
        stage.server.answer_one();
        assert_eq!(statuses(requests).await, [200; 200]);
        assert_eq!((stage.server.asked(), stage.server.under_way()), (1, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_requests_while_the_answer_comes_are_one_question() {
    for _ in 0..50 {
        let stage = Stage::new(settings());
        // it is the only answer there will ever be
        stage.server.answer_one();
        let requests: Vec<_> = (0..200).map(|_| stage.ask("opaque")).collect();
        assert_eq!(statuses(requests).await, [200; 200]);
        assert_eq!(stage.server.asked(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn t37_with_a_bound_of_nothing_whoever_comes_later_shares_the_next_question() {
    for _ in 0..20 {
        let stage = Stage::new(settings().believed_for(Duration::ZERO));
        let first = stage.ask("opaque");
        stage.settle(1, 1).await;
        // it is taken back now, and the answer to the first question does not say so yet
        let others: Vec<_> = (0..200).map(|_| stage.ask("opaque")).collect();
        stage.settle(201, 1).await;
        assert_eq!(stage.server.asked(), 1);
        stage.server.answer_one();
        assert_eq!(first.await.unwrap().0, 200);
        stage.server.says(&inactive());
        stage.server.answer_one();
        assert_eq!(statuses(others).await, [401; 200]);
        assert_eq!(stage.server.asked(), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_client_that_hangs_up_while_its_request_asks_leaves_the_question_to_the_others() {
    for _ in 0..20 {
        let stage = Stage::new(settings());
        let first = stage.ask("opaque");
        stage.settle(1, 1).await;
        let others: Vec<_> = (0..10).map(|_| stage.ask("opaque")).collect();
        stage.settle(11, 1).await;
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        others[3].abort();
        stage.settle(11, 1).await;
        stage.server.answer_one();
        let answers = soon("every answer", join_all(others)).await;
        let passed = answers.iter().filter(|answer| answer.as_ref().is_ok_and(|(status, _)| *status == 200));
        assert!(passed.count() >= 9);
        assert_eq!((stage.server.asked(), stage.server.under_way()), (1, 0));
    }
}

#[tokio::test]
async fn a_question_for_which_nobody_waits_is_given_up_and_takes_no_place() {
    let stage = Stage::new(settings().max_requests(2));
    for round in 1..10 {
        let given_up = ["one", "two"].map(|token| stage.ask(token));
        stage.settle(2 * round, 2).await;
        for request in given_up {
            request.abort();
            assert!(request.await.unwrap_err().is_cancelled());
        }
        stage.settle(2 * round, 0).await;
    }
    let request = stage.ask("one");
    stage.settle(19, 1).await;
    stage.server.answer_one();
    assert_eq!((request.await.unwrap(), stage.server.asked()), ((200, ""), 19));
}

#[tokio::test]
async fn beyond_the_number_of_questions_it_is_503_and_no_queue() {
    let stage = Stage::new(settings().max_requests(2));
    let held: Vec<_> = (0..4).map(|number| stage.ask(&format!("token-{}", number % 2))).collect();
    stage.settle(4, 2).await;
    for token in ["token-2", "token-3"] {
        assert_eq!(stage.ask(token).await.unwrap(), (503, "overloaded"));
    }
    stage.server.answer_one();
    stage.server.answer_one();
    assert_eq!(statuses(held).await, [200; 4]);
    // they were refused for that moment alone
    let again = stage.ask("token-2");
    stage.settle(5, 1).await;
    stage.server.answer_one();
    assert_eq!(again.await.unwrap().0, 200);
    assert_eq!((stage.server.asked(), stage.server.most_under_way()), (3, 2));
    stage.clock.advance(Duration::from_secs(10));
    let held = ["token-0", "token-1"].map(|token| stage.ask(token));
    stage.settle(7, 2).await;
    assert_eq!(stage.ask("token-2").await.unwrap(), (503, "overloaded"), "what was known is asked about again");
    drop(held);
}
