//! The transformations by name.

/// One transformation of SecLang (`t:lowercase`), by ModSecurity's reference manual. `t:none` is none of these: it empties
/// the list before it and is gone after reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transformation {
    /// `base64Decode`: strict, up to the first byte that is not of the alphabet.
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
