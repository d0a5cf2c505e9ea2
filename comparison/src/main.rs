//! What the gate costs beside other middleware, on the same requests and in the same run:
//! `cargo run --release --manifest-path comparison/Cargo.toml`, and with `-- throughput` over loopback.
//!
//! The first prints a table: each middleware is put around the same bare router, sent the same token of 8 permissions,
//! and asked for the same checks of issuer, audience, expiry and one permission, as far as it offers them. Before
//! anything is measured, each must answer 200, and refuse the token when its signature was changed. The versions of
//! the peers are in the manifest.
//!
//! - `measure`: rounds that take turns, and the table
//! - `frameworks`: what axum and actix-web are sent, and the layer that does nothing
//! - `peers`: the other middleware
//! - `ours`: the gate
//! - `rows`: what is compared with what
//! - `throughput`: servers on one core, asked by wrk on another

mod frameworks;
mod measure;
mod ours;
mod peers;
mod rows;
mod throughput;

// The programs in the other crates' benches send the same requests to the same routers.
#[path = "../../auth-actix/benches/app/mod.rs"]
mod app;
#[path = "../../auth-tower/benches/router/mod.rs"]
mod router;
#[path = "../../auth-core/benches/workload/mod.rs"]
mod workload;

use workload::Fallible;

#[actix_web::main]
async fn main() -> Fallible<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => rows::print_all().await,
        ["throughput"] => throughput::print_all(),
        ["serve", name, address] => throughput::serve(name, address).await,
        _ => Err("call it with nothing, or with `throughput`".into()),
    }
}
