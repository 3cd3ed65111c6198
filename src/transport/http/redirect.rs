//! Where a server may send a request instead: to another path of its own, or to its own TLS.

use super::Response;
use crate::error::{Code, Error, Result};
use crate::url::Url;

/// Redirects followed for one request.
pub const MAX_REDIRECTS: u8 = 3;

/// Where `response` to a request to `from` sends it, with the same method and body; `None` if it is
/// no redirect that repeats a POST.
///
/// Fails with `Http` when that is another host or port, or plain after TLS: a server cannot hand its
/// session to others.
pub fn target(from: &Url, response: &Response) -> Result<Option<Url>> {
    if !matches!(response.status, 301 | 302 | 307 | 308) {
        return Ok(None);
    }
    let refused = |why: &str| {
        let text = format!("the server redirects {why}");
        Error::new(Code::Http, text).with_http_status(response.status)
    };
    let location = response.location.as_deref().ok_or_else(|| refused("to nowhere"))?;
    let to = from.join(location).map_err(|error| refused(&format!("wrongly: {error}")))?;
    if to.host != from.host {
        return Err(refused("to another host"));
    }
    if to.scheme < from.scheme {
        return Err(refused("from https to http"));
    }
    if to.scheme == from.scheme && to.port != from.port {
        return Err(refused("to another port"));
    }
    Ok(Some(to))
}
