//! `application/x-www-form-urlencoded` and query strings (URL Living Standard 5.1).

use super::{BodyError, Piece, Sink, Spot, Text};

/// Gives each name and each value between `&`, undecoded. There is no malformed text of this kind: what has no `=` is a
/// name alone. `;` does not separate: the standard dropped it, and a command after it must stay in one piece.
pub fn walk_arguments(text: &[u8], args_max: usize, sink: &mut Sink<'_>) -> Result<(), BodyError> {
    let (mut start, mut count) = (0, 0);
    for argument in text.split(|&b| b == b'&') {
        let at = start;
        start += argument.len() + 1;
        if argument.is_empty() {
            continue;
        }
        if count >= args_max {
            return Err(BodyError::TooManyArguments);
        }
        count += 1;
        let (name, value) = match memchr::memchr(b'=', argument) {
            Some(at) => (argument.get(..at).unwrap_or_default(), argument.get(at + 1..)),
            None => (argument, None),
        };
        sink(Piece { name, value: name, spot: None });
        if let Some(value) = value {
            let range = at + name.len() + 1..at + argument.len();
            sink(Piece { name, value, spot: Some(Spot { range, text: Text::Argument }) });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    #[test]
    fn names_and_values_come_in_order() {
        let mut seen = Vec::new();
        walk_arguments(b"a=1&&b&c=x=y&=z", 9, &mut |piece| {
            seen.push((
                String::from_utf8_lossy(piece.name).into_owned(),
                String::from_utf8_lossy(piece.value).into_owned(),
            ));
        })
        .unwrap();
        let expected = [("a", "a"), ("a", "1"), ("b", "b"), ("c", "c"), ("c", "x=y"), ("", ""), ("", "z")];
        assert_eq!(seen, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn there_is_a_most_of_them() {
        assert_eq!(walk_arguments(b"a&b&c", 2, &mut |_| ()), Err(BodyError::TooManyArguments));
        assert_eq!(walk_arguments(b"a&b&", 2, &mut |_| ()), Ok(()));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_and_none_is_made_up(text in vec(any::<u8>(), 0..200)) {
            let mut given = 0;
            let done = walk_arguments(&text, usize::MAX, &mut |piece| {
                given += piece.value.len();
                if let Some(spot) = piece.spot {
                    assert_eq!(text.get(spot.range), Some(piece.value));
                }
            });
            prop_assert_eq!(done, Ok(()));
            prop_assert!(given <= text.len());
        }
    }
}
