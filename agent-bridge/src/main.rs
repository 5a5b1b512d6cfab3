mod kernel;
pub mod wire { tonic::include_proto!("backflow.v1"); }
fn main() -> anyhow::Result<()> {
    let k = kernel::load::Kernel::load(4<<20)?;
    let m = kernel::maps::Maps::new(&k)?;
    for (a,p) in kernel::maps::inside_by_default() { m.set_network(a,p,2)?; }
    println!("{:?} {:?}", k.capabilities, k.degraded);
    let f = k.walk_files()?; println!("files {}", f.len()/56);
    let s = k.walk_sockets(true)?; println!("sockets {}", s.len()/152);
    println!("{:?} {}", m.lost(), m.edges_since(0).len());
    Ok(())
}
