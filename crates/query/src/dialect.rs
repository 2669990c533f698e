//! The SQL that we read: the parser's generic dialect, but for one thing. There a comma may end the list of columns, so that a column named
//! like a keyword (`cluster`) ends it too: `SELECT class, cluster FROM events` would be an error.

use datafusion::sql::sqlparser::dialect::{Dialect, GenericDialect};

/// The generic dialect without trailing commas.
#[derive(Debug)]
pub(crate) struct Ours;

macro_rules! yes {
    ($($name:ident)+) => { $(fn $name(&self) -> bool { true })+ };
}

impl Dialect for Ours {
    // What the parser asks of "generic" by type, it asks of us.
    fn dialect(&self) -> std::any::TypeId {
        GenericDialect.dialect()
    }
    fn is_delimited_identifier_start(&self, c: char) -> bool {
        GenericDialect.is_delimited_identifier_start(c)
    }
    fn is_identifier_start(&self, c: char) -> bool {
        GenericDialect.is_identifier_start(c)
    }
    fn is_identifier_part(&self, c: char) -> bool {
        GenericDialect.is_identifier_part(c)
    }
    // Those of the generic dialect that matter in a question.
    yes! {
        supports_unicode_string_literal supports_group_by_expr supports_group_by_with_modifier supports_left_associative_joins_without_parens
        supports_window_function_null_treatment_arg supports_dictionary_syntax supports_window_clause_named_window_reference
        supports_select_wildcard_except supports_select_wildcard_exclude supports_select_wildcard_replace support_map_literal_syntax
        allow_extract_custom allow_extract_single_quotes supports_extract_comma_syntax supports_parens_around_table_factor
        supports_values_as_table_factor supports_explain_with_utility_options supports_limit_comma supports_try_convert
        supports_bitwise_shift_operators supports_named_fn_args_with_assignment_operator supports_struct_literal supports_nested_comments
        supports_string_escape_constant supports_array_typedef_with_brackets supports_filter_during_aggregation supports_interval_options
        supports_comma_separated_trim
    }
}
