//! The writer: one event at a time onto the end of a buffer.

use memchr::memchr2;

/// Writes one event, the blank line that ends it included. Data of several lines (LF, CR or CRLF)
/// becomes several `data` fields, which a reader joins with LF. Of a name with a line end only what
/// stands before it is written, so that no name can forge a field.
pub fn write_event(out: &mut Vec<u8>, name: Option<&str>, data: &[u8]) {
    if let Some(name) = name {
        write_field(out, b"event: ", first_line(name.as_bytes()).0);
    }
    let mut rest = Some(data);
    while let Some(lines) = rest {
        let (line, after) = first_line(lines);
        write_field(out, b"data: ", line);
        rest = after;
    }
    out.push(b'\n');
}

fn write_field(out: &mut Vec<u8>, field: &[u8], value: &[u8]) {
    out.extend_from_slice(field);
    out.extend_from_slice(value);
    out.push(b'\n');
}

/// The first line, and what comes after its end if it has one.
fn first_line(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let Some((line, after)) = memchr2(b'\n', b'\r', text).and_then(|end| text.split_at_checked(end)) else {
        return (text, None);
    };
    let after = after.strip_prefix(b"\r\n").or_else(|| after.get(1..));
    (line, after)
}
