//! A connection that gives up on a client which stops taking its answer.
//!
//! hyper bounds how long a request's head may take; nothing in it bounds how long a client may leave an
//! answer unread, and each such client holds a connection and its buffers for ever.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};

/// An IO whose writes fail once the other side has taken nothing for the given time.
#[derive(Debug)]
pub(super) struct StallGuard<T> {
    io: T,
    longest: Duration,
    waiting: bool,
    timer: Pin<Box<Sleep>>,
}

impl<T> StallGuard<T> {
    /// Guards `io`.
    pub(super) fn new(io: T, longest: Duration) -> Self {
        Self { io, longest, waiting: false, timer: Box::pin(tokio::time::sleep(longest)) }
    }

    fn judge<R>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        if polled.is_ready() {
            self.waiting = false;
            return polled;
        }
        if !self.waiting {
            self.waiting = true;
            self.timer.as_mut().reset(Instant::now() + self.longest);
        }
        match self.timer.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for StallGuard<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for StallGuard<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.judge(cx, polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.io).poll_flush(cx);
        self.judge(cx, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.io).poll_shutdown(cx);
        self.judge(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write_vectored(cx, parts);
        self.judge(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_given_up() {
        let (ours, theirs) = tokio::io::duplex(16);
        let mut guarded = StallGuard::new(ours, Duration::from_millis(60));
        guarded.write_all(&[0; 16]).await.unwrap();
        let started = Instant::now();
        let refused = guarded.write_all(&[0; 16]).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::TimedOut);
        assert!(started.elapsed() >= Duration::from_millis(60));
        drop(theirs);
    }

    #[tokio::test]
    async fn a_slow_client_is_served_longer_than_one_stall() {
        let (ours, mut theirs) = tokio::io::duplex(16);
        let reader = tokio::spawn(async move {
            let (mut got, mut buf) = (0, [0; 16]);
            while got < 160 {
                tokio::time::sleep(Duration::from_millis(40)).await;
                got += tokio::io::AsyncReadExt::read(&mut theirs, &mut buf).await.unwrap();
            }
        });
        // Ten pauses of 40 ms: together longer than the 300 ms that no single one may last.
        let mut guarded = StallGuard::new(ours, Duration::from_millis(300));
        for _ in 0..10 {
            guarded.write_all(&[0; 16]).await.unwrap();
        }
        reader.await.unwrap();
    }
}
