//! One line of delimited text as fields.

/// Cuts a line into fields; a field in double quotes may hold the delimiter but no quote of its own.
pub(super) struct Fields<'a> {
    rest: Option<&'a [u8]>,
    delimiter: u8,
}

impl<'a> Fields<'a> {
    pub(super) const fn new(line: &'a [u8], delimiter: u8) -> Self {
        Self { rest: Some(line), delimiter }
    }

    fn take(&mut self, rest: &'a [u8], end: usize) -> &'a [u8] {
        let (field, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        self.rest = after.split_first().map(|(_, after)| after);
        field
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        if let Some((b'"', quoted)) = rest.split_first()
            && let Some(close) = quoted.iter().position(|&byte| byte == b'"')
            && quoted.get(close + 1).is_none_or(|&byte| byte == self.delimiter)
        {
            let field = self.take(rest, close + 2);
            return field.get(1..=close);
        }
        let end = rest.iter().position(|&byte| byte == self.delimiter).unwrap_or(rest.len());
        Some(self.take(rest, end))
    }
}
