// Network: sockets. Whole frames come in from a relay, whole frames and HTTP answers go out to whoever asks.
// Owns NIO and TLS; no NIO type leaves the room, and it knows nothing of what is inside a frame.
// Every client and every server here is one event loop thread; callbacks run on it and must not block.
// Start at Relay/RelayClient.swift (in) and HTTP/HTTPServer.swift (out); the hot path is WebSocket/WebSocketDecoder.swift.
