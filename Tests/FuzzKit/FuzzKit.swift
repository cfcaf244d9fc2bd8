// FuzzKit: what a fuzz target says when a law is broken, and the laws of text that several targets check.
// Start at JSONCheck.swift.

import Glibc

/// Ends the process with a reason, which makes libFuzzer keep the input.
package func finding(_ what: String) -> Never {
  let line = Array("FINDING: \(what)\n".utf8)
  _ = Glibc.write(STDERR_FILENO, line, line.count)
  abort()
}

/// A law that every input must keep.
@inline(__always)
package func law(_ holds: Bool, _ what: @autoclosure () -> String) {
  if !holds { finding(what()) }
}

/// What a target is for libFuzzer: bytes and their count in, 0 out.
package typealias FuzzTarget = @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt

/// libFuzzer's own driver (FuzzerInterface.h). Its arguments are pointers and integers, which Swift passes as C does.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ target: FuzzTarget
) -> CInt

/// Runs libFuzzer with this process's arguments. SwiftPM names an executable's `main` itself, so libFuzzer's is not used.
package func fuzz(_ target: FuzzTarget) -> Never {
  var count = CommandLine.argc
  var arguments = CommandLine.unsafeArgv
  exit(runDriver(&count, &arguments, target))
}
