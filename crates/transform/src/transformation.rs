//! The transformations by name, and running one.

use crate::whitespace;
use crate::{
    base64, command_line, comments, css, digest, escape_sequence, hex, html, js, path, single_bytes, url,
    utf8,
};

/// One transformation of SecLang (`t:lowercase`), by ModSecurity's reference manual. `t:none` is none of these: it empties
/// the list before it and is gone after reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transformation {
    /// `base64Decode`: up to the first byte that is not of the alphabet.
    Base64Decode,
    /// `base64DecodeExt`: what is not of the alphabet is passed over.
    Base64DecodeExt,
    /// `base64Encode`.
    Base64Encode,
    /// `cmdLine`.
    CmdLine,
    /// `compressWhitespace`.
    CompressWhitespace,
    /// `cssDecode`.
    CssDecode,
    /// `escapeSeqDecode`.
    EscapeSeqDecode,
    /// `hexDecode`.
    HexDecode,
    /// `hexEncode`.
    HexEncode,
    /// `htmlEntityDecode`.
    HtmlEntityDecode,
    /// `jsDecode`.
    JsDecode,
    /// `length`: the number of bytes, in decimal.
    Length,
    /// `lowercase`.
    Lowercase,
    /// `md5`, raw.
    Md5,
    /// `normalizePath`, also written `normalisePath`.
    NormalizePath,
    /// `normalizePathWin`, also written `normalisePathWin`.
    NormalizePathWin,
    /// `parityEven7bit`.
    ParityEven7bit,
    /// `parityOdd7bit`.
    ParityOdd7bit,
    /// `parityZero7bit`.
    ParityZero7bit,
    /// `removeComments`.
    RemoveComments,
    /// `removeCommentsChar`.
    RemoveCommentsChar,
    /// `removeNulls`.
    RemoveNulls,
    /// `removeWhitespace`.
    RemoveWhitespace,
    /// `replaceComments`.
    ReplaceComments,
    /// `replaceNulls`.
    ReplaceNulls,
    /// `sha1`, raw.
    Sha1,
    /// `sqlHexDecode`.
    SqlHexDecode,
    /// `trim`.
    Trim,
    /// `trimLeft`.
    TrimLeft,
    /// `trimRight`.
    TrimRight,
    /// `uppercase`.
    Uppercase,
    /// `urlDecode`.
    UrlDecode,
    /// `urlDecodeUni`.
    UrlDecodeUni,
    /// `urlEncode`.
    UrlEncode,
    /// `utf8toUnicode`.
    Utf8ToUnicode,
}

use Transformation::*;

impl Transformation {
    /// Every one, by its name: ModSecurity 3's own spelling.
    const NAMES: [(Transformation, &'static str); 35] = [
        (Base64Decode, "base64Decode"),
        (Base64DecodeExt, "base64DecodeExt"),
        (Base64Encode, "base64Encode"),
        (CmdLine, "cmdLine"),
        (CompressWhitespace, "compressWhitespace"),
        (CssDecode, "cssDecode"),
        (EscapeSeqDecode, "escapeSeqDecode"),
        (HexDecode, "hexDecode"),
        (HexEncode, "hexEncode"),
        (HtmlEntityDecode, "htmlEntityDecode"),
        (JsDecode, "jsDecode"),
        (Length, "length"),
        (Lowercase, "lowercase"),
        (Md5, "md5"),
        (NormalizePath, "normalizePath"),
        (NormalizePathWin, "normalizePathWin"),
        (ParityEven7bit, "parityEven7bit"),
        (ParityOdd7bit, "parityOdd7bit"),
        (ParityZero7bit, "parityZero7bit"),
        (RemoveComments, "removeComments"),
        (RemoveCommentsChar, "removeCommentsChar"),
        (RemoveNulls, "removeNulls"),
        (RemoveWhitespace, "removeWhitespace"),
        (ReplaceComments, "replaceComments"),
        (ReplaceNulls, "replaceNulls"),
        (Sha1, "sha1"),
        (SqlHexDecode, "sqlHexDecode"),
        (Trim, "trim"),
        (TrimLeft, "trimLeft"),
        (TrimRight, "trimRight"),
        (Uppercase, "uppercase"),
        (UrlDecode, "urlDecode"),
        (UrlDecodeUni, "urlDecodeUni"),
        (UrlEncode, "urlEncode"),
        (Utf8ToUnicode, "utf8toUnicode"),
    ];

    /// Every one, in the order of their names.
    pub fn all() -> impl Iterator<Item = Transformation> {
        Self::NAMES.into_iter().map(|(transformation, _)| transformation)
    }

    /// Its name in SecLang, without `t:`.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(known, _)| *known == self).map_or("", |(_, name)| name)
    }

    /// The transformation with this name, letters in either case; the British spelling of `normalizePath` counts too, and
    /// `cmd_line` and `compress_whitespace`, which ModSecurity reads. Not `none`, which is no transformation.
    pub fn from_name(name: &str) -> Option<Self> {
        const OTHER: [(&str, Transformation); 4] = [
            ("normalisePath", NormalizePath),
            ("normalisePathWin", NormalizePathWin),
            ("cmd_line", CmdLine),
            ("compress_whitespace", CompressWhitespace),
        ];
        let names = Self::NAMES.into_iter().map(|(transformation, name)| (name, transformation));
        names.chain(OTHER).find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, found)| found)
    }

    /// Appends the value as transformed to `out` and returns whether it differs from `input`; if it does not, `out` is as it
    /// was. Takes time and space in proportion to the value: what is appended is at most four times as long, but for digests
    /// and `length`, which append at most 20 bytes.
    pub fn apply(self, input: &[u8], out: &mut Vec<u8>) -> bool {
        let before = out.len();
        let written = self.write(input, out);
        if written && out.get(before..) != Some(input) {
            return true;
        }
        out.truncate(before);
        false
    }

    /// Appends the transformed value; `false`: it is the same, and what was appended does not count.
    fn write(self, input: &[u8], out: &mut Vec<u8>) -> bool {
        match self {
            Base64Decode => base64::decode(input, out),
            Base64DecodeExt => base64::decode_ext(input, out),
            Base64Encode => base64::encode(input, out),
            CmdLine => command_line::normalize(input, out),
            CompressWhitespace => whitespace::compress(input, out),
            CssDecode => css::decode(input, out),
            EscapeSeqDecode => escape_sequence::decode(input, out),
            HexDecode => hex::decode(input, out),
            HexEncode => hex::encode(input, out),
            HtmlEntityDecode => html::decode(input, out),
            JsDecode => js::decode(input, out),
            Length => digest::length(input, out),
            Lowercase => single_bytes::lowercase(input, out),
            Md5 => digest::md5(input, out),
            NormalizePath => path::normalize(input, out, false),
            NormalizePathWin => path::normalize(input, out, true),
            ParityEven7bit => single_bytes::map(input, out, single_bytes::parity_even),
            ParityOdd7bit => single_bytes::map(input, out, single_bytes::parity_odd),
            ParityZero7bit => single_bytes::map(input, out, single_bytes::parity_zero),
            RemoveComments => comments::remove(input, out),
            RemoveCommentsChar => comments::remove_marks(input, out),
            RemoveNulls => single_bytes::remove_nulls(input, out),
            RemoveWhitespace => whitespace::remove(input, out),
            ReplaceComments => comments::replace(input, out),
            ReplaceNulls => single_bytes::replace_nulls(input, out),
            Sha1 => digest::sha1(input, out),
            SqlHexDecode => hex::decode_sql(input, out),
            Trim => whitespace::trim(input, out, true, true),
            TrimLeft => whitespace::trim(input, out, true, false),
            TrimRight => whitespace::trim(input, out, false, true),
            Uppercase => single_bytes::uppercase(input, out),
            UrlDecode => url::decode(input, out),
            UrlDecodeUni => url::decode_uni(input, out),
            UrlEncode => url::encode(input, out),
            Utf8ToUnicode => utf8::to_unicode(input, out),
        }
    }
}
