import ATProto
import CLuaHost

extension RuleHost {
  /// The words only `*_test.lua` files have.
  static var testWords: [String] {
    var words: UnsafePointer<UnsafePointer<CChar>?>?
    let count = lh_test_words(&words)
    return (0..<count).map { String(cString: words![$0]!) }
  }

  /// Every name a rule can write, found by walking the Lua environment: `count`, `text`, `text.fold`, `counter:add`. Sorted.
  var reachableNames: [String] {
    final class Box { var names: [String] = [] }
    let box = Box()
    lh_names(lua, Unmanaged.passUnretained(box).toOpaque()) { context, name in
      Unmanaged<Box>.fromOpaque(context!).takeUnretainedValue().names.append(Bytes(name).string)
    }
    return box.names.sorted()
  }
}
