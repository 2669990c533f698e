//! What may be asked: one statement, and only one that reads.

use datafusion::{
    execution::SessionState,
    logical_expr::LogicalPlan,
    prelude::SQLOptions,
    sql::{
        parser::{DFParser, Statement},
        sqlparser::ast::{self, SetExpr},
    },
};

use crate::{QueryError, dialect::Ours, error};

/// SQL is at most this long: a person's question fits a thousand times.
pub const SQL_BYTES_MAX: usize = 256 << 10;

/// Plans a statement that reads. `names` are the tables and columns that a misspelled name may have meant.
pub(crate) async fn plan(state: &SessionState, sql: &str, names: &[String]) -> Result<LogicalPlan, QueryError> {
    if sql.len() > SQL_BYTES_MAX {
        return Err(QueryError::Limit { limit: format!("the length of {SQL_BYTES_MAX} bytes"), advice: "ask a shorter question" });
    }
    let mut statements = DFParser::parse_sql_with_dialect(sql, &Ours).map_err(|e| error::planning(sql, &e, names))?;
    let Some(statement) = statements.pop_front() else {
        return Err(wrong(sql, "there is no statement", "write SELECT ... FROM events"));
    };
    if !statements.is_empty() {
        return Err(wrong(sql, "there is more than one statement", "ask one question at a time"));
    }
    if let Some(deed) = writes(&statement) {
        return Err(refused(sql, deed));
    }
    let plan = state.statement_to_plan(statement).await.map_err(|e| error::planning(sql, &e, names))?;
    // The second wall: whatever the grammar lets through, the plan itself holds no change.
    let options = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    options.verify_plan(&plan).map_err(|_| refused(sql, "it would change something".to_owned()))?;
    Ok(plan)
}

fn wrong(sql: &str, problem: &str, advice: &str) -> QueryError {
    QueryError::Sql { sql: error::shown(sql), problem: problem.to_owned(), advice: advice.to_owned() }
}

fn refused(sql: &str, problem: String) -> QueryError {
    QueryError::NotReadOnly { sql: error::shown(sql), problem }
}

/// What a statement would do besides reading.
fn writes(statement: &Statement) -> Option<String> {
    let statement = match statement {
        Statement::Statement(statement) => statement.as_ref(),
        Statement::Explain(explain) => return writes(&explain.statement),
        Statement::CopyTo(_) => return Some("COPY writes files".to_owned()),
        Statement::CreateExternalTable(_) => return Some("CREATE EXTERNAL TABLE opens other files".to_owned()),
        Statement::Reset(_) => return Some("RESET changes settings".to_owned()),
    };
    match statement {
        ast::Statement::Query(query) => body_writes(&query.body).then(|| "it would change data".to_owned()),
        ast::Statement::Explain { statement, .. } => writes(&Statement::Statement(statement.clone())),
        ast::Statement::ExplainTable { .. }
        | ast::Statement::ShowTables { .. }
        | ast::Statement::ShowColumns { .. }
        | ast::Statement::ShowFunctions { .. }
        | ast::Statement::ShowVariable { .. }
        | ast::Statement::ShowCreate { .. } => None,
        other => Some(format!("{} is not a question", verb(&other.to_string()))),
    }
}

fn body_writes(body: &SetExpr) -> bool {
    match body {
        SetExpr::Select(select) => select.into.is_some(),
        SetExpr::Query(query) => body_writes(&query.body),
        SetExpr::SetOperation { left, right, .. } => body_writes(left) || body_writes(right),
        SetExpr::Values(_) | SetExpr::Table(_) => false,
        _ => true,
    }
}

fn verb(text: &str) -> String {
    text.split_whitespace().next().unwrap_or_default().to_uppercase()
}
