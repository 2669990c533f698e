//! Where questions about stored events run: on threads of their own, so that intake, the desk, delivery and the console go on while somebody computes.
//!
//! Owns: those threads, and how many questions of the API run at a time. Never looks into a question.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::{
    runtime::{Builder, Runtime},
    sync::Semaphore,
};

/// Threads for all questions together.
const THREADS: usize = 2;
/// So many questions of the API run at a time; each may take `Limits::SERVER` of memory.
const AT_A_TIME: usize = 2;
/// A question waits this long for its turn.
const TURN: Duration = Duration::from_secs(10);

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// Others have asked before.
    #[error("{AT_A_TIME} other questions are being answered, and did not end within {} s", TURN.as_secs())]
    Busy,
    /// It broke down.
    #[error("the question broke down: {0}")]
    Broken(String),
}

/// The threads.
#[derive(Debug)]
pub struct Questions {
    /// None only while it is dropped.
    runtime: Option<Runtime>,
    turns: Arc<Semaphore>,
}

impl Questions {
    /// Starts the threads.
    pub fn new() -> Result<Self, String> {
        let runtime = Builder::new_multi_thread().worker_threads(THREADS).thread_name("questions").enable_all().build();
        Ok(Self {
            runtime: Some(runtime.map_err(|e| format!("starting threads for questions: {e}"))?),
            turns: Arc::new(Semaphore::new(AT_A_TIME)),
        })
    }

    /// One of the API's questions, when its turn has come. It ends when nobody waits for it any more.
    pub async fn ask<T: Send + 'static>(&self, question: impl Future<Output = T> + Send + 'static) -> Result<T, NoAnswer> {
        let turn = tokio::time::timeout(TURN, Arc::clone(&self.turns).acquire_owned()).await;
        let _turn = turn.ok().and_then(Result::ok).ok_or(NoAnswer::Busy)?;
        self.run(question).await
    }

    /// A command's question: its owner waits for nobody.
    pub async fn run<T: Send + 'static>(&self, question: impl Future<Output = T> + Send + 'static) -> Result<T, NoAnswer> {
        let Some(runtime) = &self.runtime else { return Err(NoAnswer::Busy) };
        let mut working = Working(runtime.spawn(question));
        (&mut working.0).await.map_err(|e| NoAnswer::Broken(e.to_string()))
    }

    /// Work that goes on by itself.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &self.runtime {
            runtime.spawn(work);
        }
    }
}

impl Drop for Questions {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background(); // waiting would block a thread of the server
        }
    }
}

/// A question that is given up with the one who asked.
struct Working<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for Working<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn questions_wait_for_their_turn_and_block_nobody() {
        let questions = Arc::new(Questions::new().unwrap());
        let (go, gate) = tokio::sync::watch::channel(false);
        let busy: Vec<_> = (0..AT_A_TIME)
            .map(|_| {
                let (questions, mut gate) = (Arc::clone(&questions), gate.clone());
                tokio::spawn(async move { questions.ask(async move { gate.wait_for(|open| *open).await.map(|_| 1).unwrap_or(0) }).await })
            })
            .collect();
        while questions.turns.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(questions.run(async { 7 }).await, Ok(7), "a command does not wait");
        go.send(true).unwrap();
        for one in busy {
            assert_eq!(one.await.unwrap(), Ok(1));
        }
        assert_eq!(questions.ask(async { 2 }).await, Ok(2));
        assert!(matches!(questions.run(async { assert_eq!(1, 2) }).await, Err(NoAnswer::Broken(_))));
    }
}
