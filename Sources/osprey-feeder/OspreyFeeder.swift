import ArgumentParser

@main
struct OspreyFeeder: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "osprey-feeder",
    abstract: "From the AT Protocol firehose, through moderation rules in Lua, to two Kafka topics.")
}
