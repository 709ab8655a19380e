//! Enums whose kinds have a name, and often a code: one line of a table says all of a kind.
//!
//! A list of all kinds that is kept by hand forgets the next one: it then reads back as unknown.

/// Makes an enum out of a table of kinds and their names.
///
/// A name is what people and scripts see. It never changes meaning.
#[macro_export]
macro_rules! named {
    ($(#[$of_enum:meta])* pub enum $named:ident { $($(#[$of_kind:meta])* $kind:ident = $name:literal;)+ }) => {
        $(#[$of_enum])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $named {
            $($(#[$of_kind])* $kind,)+
        }

        impl $named {
            /// Every kind, in the order of the table.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$kind),+];

            /// Returns the name shown to people and scripts.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }

            /// Returns the kind of this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$kind),)+
                    _ => None,
                }
            }
        }
    };
}

/// Makes an enum out of a table of kinds, their codes and their names.
///
/// Journals keep the code, people and scripts see the name. Neither ever changes meaning; a new kind has a new code.
#[macro_export]
macro_rules! coded {
    (
        $(#[$of_enum:meta])*
        pub enum $coded:ident { $($(#[$of_kind:meta])* $kind:ident = $code:literal, $name:literal;)+ }
    ) => {
        $crate::named! {
            $(#[$of_enum])*
            #[repr(u8)]
            pub enum $coded { $($(#[$of_kind])* $kind = $name;)+ }
        }

        impl $coded {
            /// One more than the largest code: how long a table by code is.
            pub const CODES: usize = {
                let mut rest: &[usize] = &[$($code),+];
                let mut codes = 0;
                while let [code, others @ ..] = rest {
                    if *code >= codes {
                        codes = *code + 1;
                    }
                    rest = others;
                }
                codes
            };

            /// Returns the code that journals keep.
            #[must_use]
            #[inline]
            pub const fn code(self) -> u8 {
                match self {
                    $(Self::$kind => $code,)+
                }
            }

            /// Returns the kind of this code.
            #[must_use]
            pub const fn from_code(code: u8) -> Option<Self> {
                match code {
                    $($code => Some(Self::$kind),)+
                    _ => None,
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    coded! {
        /// Two kinds, with a code between them that never was given.
        pub enum Pair {
            /// The first.
            First = 1, "first";
            /// The other one.
            Other = 3, "other";
        }
    }

    #[test]
    fn a_kind_is_found_by_its_code_and_by_its_name() {
        for kind in Pair::ALL {
            assert_eq!(Pair::from_code(kind.code()), Some(kind));
            assert_eq!(Pair::from_name(kind.name()), Some(kind));
        }
        assert_eq!(Pair::ALL.map(Pair::code), [1, 3]);
        assert_eq!(Pair::CODES, 4);
        assert_eq!(Pair::ALL.map(Pair::name), ["first", "other"]);
    }

    #[test]
    fn what_the_table_does_not_list_is_nothing() {
        assert_eq!([0, 2, 4, 255].map(Pair::from_code), [None; 4]);
        assert_eq!(["", "First", "third"].map(Pair::from_name), [None; 3]);
    }
}
