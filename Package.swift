// swift-tools-version: 6.2
// The rooms of osprey-feeder, in the order of the data. A target is a fence: what it does not list it may not import.

import PackageDescription

let swift: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ExistentialAny"),
]

let package = Package(
  name: "osprey-feeder",
  products: [.executable(name: "osprey-feeder", targets: ["osprey-feeder"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
  ],
  targets: [
    // Debian's C libraries.
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CSecp256k1", pkgConfig: "libsecp256k1", providers: [.apt(["libsecp256k1-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CLua", pkgConfig: "lua5.4", providers: [.apt(["liblua5.4-dev"])]),
    // Our own C: SHA-256 in lanes, the Lua host's stack side, and shims where a library speaks in macros or variadic calls.
    .target(
      name: "CSHA256", dependencies: ["COpenSSL"], cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
    .target(name: "CRdKafka", linkerSettings: [.linkedLibrary("rdkafka")]),
    .target(
      name: "CLuaHost", dependencies: ["CLua", "CText"], cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
    .target(
      name: "CText", cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])],
      linkerSettings: [.linkedLibrary("icuuc"), .linkedLibrary("icui18n"), .linkedLibrary("psl")]),

    // The decoder's scratch memory stands in classes of one owner; checking exclusive access at run time costs 6 % a frame.
    .target(
      name: "ATProto", dependencies: ["COpenSSL", "CSHA256"],
      swiftSettings: swift + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]),
    .target(name: "Signatures", dependencies: ["ATProto", "CSecp256k1", "COpenSSL"], swiftSettings: swift),
    .target(name: "Capture", dependencies: ["CZstd"], swiftSettings: swift),
    .target(
      name: "Osprey", dependencies: ["ATProto"],
      swiftSettings: swift + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]),
    // The judge is one thread and its state its own; checking exclusive access at run time costs a tenth of an event.
    .target(
      name: "Rules", dependencies: ["ATProto", "Osprey", "CLuaHost", "CText"],
      swiftSettings: swift + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]),
    .target(name: "Kafka", dependencies: ["CRdKafka"], swiftSettings: swift),
    .target(
      name: "Network",
      dependencies: [
        "ATProto",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOWebSocket", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ], swiftSettings: swift),
    .target(
      name: "Feeder",
      dependencies: [
        "ATProto", "Signatures", "Capture", "Osprey", "Rules", "Kafka", "Network",
        .product(name: "Logging", package: "swift-log"),
      ], swiftSettings: swift),
    .target(
      name: "Simulator", dependencies: ["ATProto", "Signatures", "Capture", "Network"],
      resources: [.embedInCode("campaigns.json")], swiftSettings: swift),
    .executableTarget(
      name: "osprey-feeder",
      dependencies: [
        "ATProto", "Signatures", "Capture", "Osprey", "Rules", "Kafka", "Network", "Feeder", "Simulator",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ], swiftSettings: swift),
    .executableTarget(
      name: "Bench", dependencies: ["ATProto", "Osprey", "Capture", "Rules", "COpenSSL"], swiftSettings: swift),

    .target(name: "FrameKit", dependencies: ["ATProto"], path: "Tests/FrameKit", swiftSettings: swift),
    .testTarget(
      name: "ATProtoTests", dependencies: ["ATProto", "FrameKit", "COpenSSL", "CSHA256"], swiftSettings: swift),
    .testTarget(name: "SignaturesTests", dependencies: ["Signatures", "ATProto"], swiftSettings: swift),
    .testTarget(name: "CaptureTests", dependencies: ["Capture"], swiftSettings: swift),
    .testTarget(name: "OspreyTests", dependencies: ["Osprey", "ATProto"], swiftSettings: swift),
    .testTarget(name: "RulesTests", dependencies: ["FrameKit", "Rules", "Osprey", "ATProto"], swiftSettings: swift),
    .testTarget(name: "KafkaTests", dependencies: ["Kafka"], swiftSettings: swift),
    .testTarget(name: "NetworkTests", dependencies: ["Network"], swiftSettings: swift),
    .testTarget(
      name: "SimulatorTests", dependencies: ["Simulator", "ATProto", "Signatures", "Network"], swiftSettings: swift),
    .testTarget(
      name: "FeederTests",
      dependencies: ["Feeder", "FrameKit", "Kafka", "ATProto", "Osprey", "Rules", "Simulator", "Capture"],
      swiftSettings: swift),
    .testTarget(name: "EndToEndTests", dependencies: ["osprey-feeder", "ATProto"], swiftSettings: swift),
    .testTarget(name: "SanitizerTests", swiftSettings: swift),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c11
)

// FUZZ=1: libFuzzer targets, and the rooms they fuzz instrumented for coverage and addresses (tools/fuzz.sh).
if Context.environment["FUZZ"] == "1" {
  let sanitize = ["-sanitize=fuzzer,address"]
  for target in package.targets where ["ATProto", "Osprey", "Rules", "FrameKit"].contains(target.name) {
    target.swiftSettings = (target.swiftSettings ?? []) + [.unsafeFlags(sanitize)]
  }
  for target in package.targets where ["CSHA256", "CLuaHost", "CText"].contains(target.name) {
    target.cSettings = (target.cSettings ?? []) + [.unsafeFlags(["-fsanitize=fuzzer-no-link,address"])]
  }
  func fuzzTarget(_ name: String, _ more: [Target.Dependency] = []) -> Target {
    .executableTarget(
      name: name, dependencies: ["ATProto", "Osprey", "FuzzKit"] + more,
      swiftSettings: swift + [.unsafeFlags(sanitize)],
      linkerSettings: [.unsafeFlags(sanitize + ["-use-ld=lld"])])
  }
  package.targets += [
    .target(
      name: "FuzzKit", dependencies: ["ATProto", "FrameKit", "Osprey", "Rules"], path: "Tests/FuzzKit",
      swiftSettings: swift),
    fuzzTarget("FuzzFrames"), fuzzTarget("FuzzCAR"), fuzzTarget("FuzzCanary"),
    fuzzTarget("FuzzRuleFiles", ["Rules", "FrameKit"]), fuzzTarget("FuzzEvents", ["Rules", "FrameKit"]),
    .executableTarget(
      name: "FuzzSeeds", dependencies: ["ATProto", "FrameKit"], swiftSettings: swift,
      linkerSettings: [.unsafeFlags(["-sanitize=address"])]),
  ]
}
