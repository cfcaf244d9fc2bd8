import ArgumentParser

/// The parser finds a command's options by reflection. For the scripts that complete command lines, and only for them, `run` shows
/// it the options of its table instead of the one argument that takes all of them.
extension RunCommand: CustomReflectable {
  var customMirror: Mirror {
    guard CommandLine.arguments.contains(where: { $0.hasPrefix("--generate-completion-script") }) else {
      return Mirror(self, children: ["_arguments": argumentsWrapper])
    }
    let children = RunOption.all.map { option -> Mirror.Child in
      let name = option.name == "X" ? NameSpecification.customShort("X") : .customLong(option.name)
      let help = ArgumentHelp(stringLiteral: option.help)
      let value: Any =
        switch option.kind {
        case .flag: Flag(wrappedValue: false, name: name, help: help)
        case .list: Option<[String]>(wrappedValue: [], name: name, help: help, completion: option.completion)
        case .text: Option<String?>(name: name, help: help, completion: option.completion)
        }
      return ("_\(option.name)", value)
    }
    let helpFlag = Flag(wrappedValue: false, name: [.long, .short], help: "Show help information.")
    return Mirror(self, children: children + [("_help", helpFlag)])
  }
}

/// A property of `run`, whatever its name: there is a case for each option of the table.
struct OptionKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(_ name: String) { stringValue = name }
  init?(stringValue: String) { self.init(stringValue) }
  init?(intValue: Int) { nil }
}
