//! Event streams: what a subscription sends, one answer after the other.

use reqwest::Response;

use super::{ANSWER_BYTES, Api, ApiError, Value};

/// An event stream.
pub(super) struct Events {
    response: Response,
    frames: Frames,
}

impl Events {
    /// Begins a subscription.
    pub(super) async fn open(api: &Api, document: &str, variables: &Value) -> Result<Self, ApiError> {
        let request = api.request("graphql/stream", document, variables);
        let response = api.send(request, "text/event-stream").await?;
        if !response.status().is_success() {
            // What is wrong is said as in any answer.
            let status = response.status();
            let told = api.read(response).await?;
            api.understood::<Value>(&told, "")?;
            return Err(api.strange(format!("it answers {status}")));
        }
        Ok(Self { response, frames: Frames::default() })
    }

    /// The next answer; `None`: there is no more. Who stops waiting loses nothing.
    pub(super) async fn next(&mut self, api: &Api) -> Result<Option<String>, ApiError> {
        loop {
            while let Some(frame) = self.frames.next() {
                match read(&frame) {
                    Frame::Next(data) => return Ok(Some(data)),
                    Frame::Complete => return Ok(None),
                    Frame::Other => {}
                }
            }
            let Some(more) = self.response.chunk().await.map_err(|error| api.lost(&error))? else {
                // A stream that ends without saying so was cut off.
                let why = "the stream broke off".to_owned();
                return Err(ApiError::Lost { url: api.server.clone(), why });
            };
            self.frames.add(&more);
            if self.frames.bytes.len() > ANSWER_BYTES {
                return Err(api.strange(format!("an event of more than {ANSWER_BYTES} bytes")));
            }
        }
    }
}

#[derive(Debug, PartialEq)]
enum Frame {
    Next(String),
    Complete,
    /// A sign of life, or something that is none of ours.
    Other,
}

/// Bytes on their way to be events.
#[derive(Default)]
struct Frames {
    bytes: Vec<u8>,
    /// Up to here no event ends.
    looked: usize,
}

impl Frames {
    fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole event: the lines before an empty one.
    fn next(&mut self) -> Option<String> {
        let rest = self.bytes.get(self.looked..).unwrap_or_default();
        let Some(end) = rest.windows(2).position(|two| two == b"\n\n") else {
            self.looked = self.bytes.len().saturating_sub(1);
            return None;
        };
        let frame: Vec<u8> = self.bytes.drain(..self.looked + end + 2).collect();
        self.looked = 0;
        Some(String::from_utf8_lossy(&frame).into_owned())
    }
}

fn read(frame: &str) -> Frame {
    let (mut name, mut data) = ("", Vec::new());
    for line in frame.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => name = value,
            "data" => data.push(value),
            _ => {}
        }
    }
    match name {
        "next" => Frame::Next(data.join("\n")),
        "complete" => Frame::Complete,
        _ => Frame::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_however_they_are_cut() {
        let sent = "retry: 2000\n\n:\n\nevent: next\nid: 1\ndata: {\"a\":\ndata: \"grün\"}\n\nevent: complete\ndata:\n\n";
        for size in [1, 2, 7, 1_000] {
            let (mut frames, mut read_frames) = (Frames::default(), Vec::new());
            for piece in sent.as_bytes().chunks(size) {
                frames.add(piece);
                while let Some(frame) = frames.next() {
                    read_frames.push(read(&frame));
                }
            }
            let next = Frame::Next("{\"a\":\n\"grün\"}".to_owned());
            assert_eq!(read_frames, [Frame::Other, Frame::Other, next, Frame::Complete], "{size}");
        }
    }
}
