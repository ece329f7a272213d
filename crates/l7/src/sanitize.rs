//! A head without what the firewall took out of it.

use secbeat_http1::RequestHead;
use secbeat_waf::sanitize::{self, Edit, Place};

/// The bytes of the head with each edit made at its place.
pub fn head(head: &RequestHead, bytes: &[u8], edits: &[Edit]) -> Vec<u8> {
    let in_head = edits.iter().filter_map(|edit| {
        let start = match edit.place {
            Place::Target => head.target.range().start,
            Place::Field(index) => head.fields.get(index)?.value.range().start,
            Place::Body => return None,
        };
        let range = start + edit.range.start..start + edit.range.end;
        Some(Edit { range, ..edit.clone() })
    });
    let in_head: Vec<Edit> = in_head.collect();
    sanitize::apply(bytes.get(..head.len).unwrap_or(bytes), in_head.iter())
}
