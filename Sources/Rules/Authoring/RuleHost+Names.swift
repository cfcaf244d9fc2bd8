import ATProto
import CLuaHost

extension RuleHost {
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
