//! Words of a request, as a handler takes them.

use super::{Field, Params};
use crate::portal::api::Asked;
use crate::portal::api::call::Answered;

/// No words.
pub struct NoWords;

impl Params for NoWords {
    fn fields() -> Vec<Field> {
        Vec::new()
    }

    fn read(asked: &Asked) -> Answered<Self> {
        asked.only(&[]).map(|()| Self)
    }
}

/// Words of a request: those of the path are there, those of the query may be.
macro_rules! params {
    ($(#[$meta:meta])* $name:ident {
        $(path $in_path:ident: $path_type:ty = $path_example:tt, $path_says:literal;)*
        $(query $in_query:ident: $query_type:ty = $query_example:tt, $query_says:literal;)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        pub struct $name {
            $(pub $in_path: $path_type,)*
            $(pub $in_query: Option<$query_type>,)*
        }

        impl $crate::portal::api::endpoint::Params for $name {
            fn fields() -> Vec<$crate::portal::api::endpoint::Field> {
                use $crate::portal::api::endpoint::{Field, Place};
                vec![
                    $(Field::of::<$path_type>(
                        Place::Path, stringify!($in_path), $path_says,
                        serde_json::json!($path_example),
                    ),)*
                    $(Field::of::<$query_type>(
                        Place::Query, stringify!($in_query), $query_says,
                        serde_json::json!($query_example),
                    ),)*
                ]
            }

            fn read(
                asked: &$crate::portal::api::Asked,
            ) -> $crate::portal::api::call::Answered<Self> {
                asked.only(&[$(stringify!($in_query)),*])?;
                Ok(Self {
                    $($in_path: asked.path(stringify!($in_path))?,)*
                    $($in_query: asked.query(stringify!($in_query))?,)*
                })
            }
        }
    };
}
pub(in crate::portal::api) use params;
