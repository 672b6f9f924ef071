//! A request's body, read whole within a limit.

use axum::body::{Body, Bytes};
use http_body_util::BodyExt;

/// So many times the limit is read in all before a connection is given up.
const DRAIN_TIMES: usize = 8;

/// Why a body is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// It did not arrive whole.
    Broken,
    /// It is larger than the limit.
    TooLarge,
}

/// Reads a body of at most `max` bytes. What is beyond is read and let go, for a while: a sender that is cut off
/// while it writes does not read why.
///
/// # Errors
/// A [`BodyError`].
pub async fn read_whole(mut body: Body, max: usize) -> Result<Bytes, BodyError> {
    let mut parts: Vec<Bytes> = Vec::new();
    let mut seen = 0_usize;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
        seen = seen.saturating_add(data.len());
        if seen > max.saturating_mul(DRAIN_TIMES) {
            break;
        }
        if seen > max {
            parts.clear();
        } else {
            parts.push(data);
        }
    }
    if seen > max {
        return Err(BodyError::TooLarge);
    }
    // Most bodies come in one piece, which is then not copied.
    match parts.len() {
        1 => Ok(parts.remove(0)),
        _ => Ok(parts.concat().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_limit_itself_is_taken_and_one_byte_more_is_not() {
        for (length, wanted) in [(0, true), (1, true), (100, true), (101, false), (10_000, false)] {
            let read = read_whole(Body::from(vec![7_u8; length]), 100).await;
            assert_eq!(
                read.map(|bytes| bytes.len()),
                if wanted { Ok(length) } else { Err(BodyError::TooLarge) }
            );
        }
    }

    #[tokio::test]
    async fn pieces_are_put_together_in_order() {
        let pieces = ["ab", "", "c", "de"].map(|piece| Ok::<_, std::io::Error>(Bytes::from(piece)));
        let body = Body::from_stream(futures_util::stream::iter(pieces));
        assert_eq!(read_whole(body, 5).await.as_deref(), Ok(b"abcde".as_slice()));
    }
}
