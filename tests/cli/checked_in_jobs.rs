use crate::harness::Job;

#[test]
fn a_small_job_arrives_whole_and_is_not_done_twice() {
    let (project, output) = Job::new().items(3).files(10).run();
    output.exits(0);
    assert_eq!(project.sink().len(), 30);
    assert_eq!(project.sink(), project.expected_sink());
    project.run().exits(0).says("nothing left");
    assert!(project.ledger().values().all(|record| record.status.name() == "done"));
}

#[test]
fn a_folder_is_copied() {
    let (project, output) = Job::new().item("a", ["x.bin", "sub/y.bin"]).from_folder().run();
    output.exits(0);
    assert_eq!(project.sink(), project.expected_sink());
}
