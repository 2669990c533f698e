//! Metrics: scraping, compressed samples and PromQL will live here (DESIGN §2.9).
//!
//! Must keep the evaluator pure and the I/O at the edge. Nothing is here yet; the room is in the plan so that nothing else grows into its place.
