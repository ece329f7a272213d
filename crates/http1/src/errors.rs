//! One table for each kind of refusal: variant, status, name, sentence.

/// Declares an error enum. Each row is `Variant(payload: Type) => status, "name", "sentence";` and the sentence may
/// quote the payload. Rows under `from` wrap another such enum and speak with its words; `Wrapper(Inner) => status`
/// gives them a status of their own.
macro_rules! errors {
    (@status $inner:ident) => { $inner.status() };
    (@status $inner:ident $status:literal) => { { let _ = $inner; $status } };
    (
        $(#[$meta:meta])* $Enum:ident {
            $($(#[$doc:meta])* $Variant:ident $(($($arg:ident: $Type:ty),+))? => $status:literal, $name:literal, $sentence:literal;)+
        }
        from { $($(#[$from_doc:meta])* $From:ident($Inner:ty) $(=> $from_status:literal)?;)* }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $Enum {
            $($(#[$doc])* $Variant $(($($Type),+))?,)+
            $($(#[$from_doc])* $From($Inner),)*
        }

        impl $Enum {
            /// Its name in logs, metrics and events, in snake case.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$Variant { .. } => $name,)+
                    $(Self::$From(inner) => inner.name(),)*
                }
            }

            /// The status that tells a client of it.
            pub const fn status(self) -> u16 {
                match self {
                    $(Self::$Variant { .. } => $status,)+
                    $(Self::$From(inner) => errors!(@status inner $($from_status)?),)*
                }
            }
        }

        impl std::fmt::Display for $Enum {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $(Self::$Variant $(($($arg),+))? => write!(f, $sentence),)+
                    $(Self::$From(inner) => inner.fmt(f),)*
                }
            }
        }

        impl std::error::Error for $Enum {}

        $(impl From<$Inner> for $Enum {
            fn from(inner: $Inner) -> Self {
                Self::$From(inner)
            }
        })*
    };
}
