//! A search as a plan for the SQL engine.

use std::sync::Arc;

use datafusion::{
    catalog::TableProvider,
    common::{Result, ScalarValue},
    datasource::provider_as_source,
    functions::core::expr_fn::coalesce,
    logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, ident, lit},
};
use event::{Micros, field::ColumnType};

use super::{Node, Place, Search, Test};
use crate::{
    Cursor,
    functions::{Ask, JsonText},
};

/// Columns whose values are lower case by their table, so that a comparison can skip files, row groups and pages.
const LOWER_CASE: &[&str] = &["cluster", "class", "log", "product", "stream", "action", "status"];

/// Columns that a search does not show: hashes, salts and the parts of raw's compact form.
const HIDDEN: &[&str] = &["source", "generation", "salt", "record_salt", "raw_bytes", "raw_template", "raw_vars", "erased_hash", "day"];

impl Search {
    /// The newest matching rows of a table, newest first.
    pub(crate) fn plan(&self, table: Arc<dyn TableProvider>, limit: usize, before: Option<&Cursor>) -> Result<LogicalPlan> {
        let shown: Vec<Expr> =
            table.schema().fields().iter().filter(|f| !HIDDEN.contains(&f.name().as_str())).map(|f| ident(f.name())).collect();
        let mut plan = LogicalPlanBuilder::scan("events", provider_as_source(table), None)?;
        for filter in self.filters(before) {
            plan = plan.filter(filter)?;
        }
        let order = vec![at().sort(false, false), ident("log").sort(false, false), ident("seq").sort(false, false)];
        plan.project(shown)?.sort_with_limit(order, Some(limit))?.build()
    }

    fn filters(&self, before: Option<&Cursor>) -> Vec<Expr> {
        let mut out = Vec::new();
        // The time of a row is its own, else its arrival. The bare column beside it lets whole files be skipped.
        if let Some(since) = self.since {
            out.push(at().gt_eq(micros(since)));
            out.push(ident("time").gt_eq(micros(since)).or(ident("time").is_null()));
        }
        if let Some(until) = self.until {
            out.push(at().lt(micros(until)));
            out.push(ident("time").lt(micros(until)).or(ident("time").is_null()));
        }
        if let Some(cursor) = before {
            let later = ident("log").lt(lit(cursor.log.as_str()));
            let later = later.or(ident("log").eq(lit(cursor.log.as_str())).and(ident("seq").lt(lit(cursor.seq))));
            out.push(at().lt(micros(cursor.at)).or(at().eq(micros(cursor.at)).and(later)));
            out.push(ident("time").lt_eq(micros(cursor.at)).or(ident("time").is_null()));
        }
        match &self.tree {
            Node::All(parts) => out.extend(parts.iter().map(expression)),
            other => out.push(expression(other)),
        }
        out
    }
}

fn at() -> Expr {
    coalesce(vec![ident("time"), ident("observed_time")])
}

fn micros(at: Micros) -> Expr {
    lit(ScalarValue::TimestampMicrosecond(Some(at), Some("UTC".into())))
}

/// True exactly where the node matches; elsewhere false or null.
fn expression(node: &Node) -> Expr {
    match node {
        Node::All(parts) => parts.iter().map(expression).reduce(Expr::and).unwrap_or_else(|| lit(true)),
        Node::Any(parts) => parts.iter().map(expression).reduce(Expr::or).unwrap_or_else(|| lit(false)),
        // What is unknown does not match, so its negation does.
        Node::Not(part) => expression(part).is_not_true(),
        Node::Word { text, quoted, .. } => ask(if *quoted { Ask::Phrase } else { Ask::Word }, ident("raw"), text),
        Node::Field(place, test) => field(place, test),
    }
}

fn ask(what: Ask, of: Expr, text: &str) -> Expr {
    what.function().call(vec![of, lit(text)])
}

fn field(place: &Place, test: &Test) -> Expr {
    let name = place.column();
    let column = match place {
        Place::Key(key) => JsonText::function().call(vec![ident(name), lit(key.as_str())]),
        _ => ident(name),
    };
    match test {
        Test::Known => column.is_not_null(),
        Test::Number(from, to) => number_range(place, column, *from, *to),
        Test::Time(from, to) => column.clone().gt_eq(micros(*from)).and(column.lt(micros(*to))),
        Test::Network(net) => ask(Ask::Network, column, &net.to_string()),
        Test::Text(any) => {
            let one = |(text, quoted, _): &(String, bool, crate::pattern::Value)| {
                let plain = *quoted || !text.contains('*');
                match name {
                    _ if plain && matches!(place, Place::Key(_)) => ask(Ask::Exact, column.clone(), text),
                    "level" if plain => column.clone().eq(lit(text.to_ascii_uppercase())),
                    _ if plain && LOWER_CASE.contains(&name) => column.clone().eq(lit(text.to_ascii_lowercase())),
                    _ if plain => ask(Ask::Exact, column.clone(), text),
                    _ => ask(Ask::Value, column.clone(), text),
                }
            };
            any.iter().map(one).reduce(Expr::or).unwrap_or_else(|| lit(false))
        }
    }
}

fn number_range(place: &Place, column: Expr, from: i64, to: i64) -> Expr {
    let bound = |n: i64| match place.column_type() {
        // Comparing in the column's own type lets statistics be used; what lies outside of it is clamped to a bound that no value passes.
        ColumnType::Int => i32::try_from(n).ok().map(lit),
        _ => Some(lit(n)),
    };
    match (from == i64::MIN, to == i64::MAX, bound(from), bound(to)) {
        (true, true, ..) => column.is_not_null(),
        (false, true, Some(from), _) => column.gt_eq(from),
        (true, false, _, Some(to)) => column.lt_eq(to),
        (false, false, Some(from), Some(to)) => column.clone().gt_eq(from).and(column.lt_eq(to)),
        _ => {
            let wide = datafusion::logical_expr::cast(column, datafusion::arrow::datatypes::DataType::Int64);
            wide.clone().gt_eq(lit(from)).and(wide.lt_eq(lit(to)))
        }
    }
}
