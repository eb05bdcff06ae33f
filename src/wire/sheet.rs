//! Cells of sheets, as programs for tables read them.

/// A cell that no sheet takes for a formula (OWASP, CSV injection).
pub fn harmless(cell: &str) -> String {
    match is_computed(cell) || cell.starts_with(['\t', '\r']) {
        true => format!("'{cell}"),
        false => cell.to_owned(),
    }
}

/// Whether a sheet would compute it.
pub fn is_computed(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@'])
}
