import ATProto
import Signatures

/// A post somebody may like, repost, quote or answer.
struct PostReference {
  var account: Int
  var record: UInt64
  var digest: Digest
}

/// Writes records as DAG-CBOR. The keys of every map stand in canonical order here: by length, then by bytes.
struct RecordWriter {
  let accounts: Accounts

  /// What a post carries besides its text.
  enum Embed {
    case images([(alt: String, blob: Digest, size: Int)])
    case video(blob: Digest, size: Int)
    case external(uri: String, title: String, about: String, thumb: Digest?)
    case quote(PostReference)
  }

  struct Post {
    var body: TextBuilder
    var language: String
    var time: UInt64
    var embed: Embed?
    var reply: (root: PostReference, parent: PostReference)?
  }

  /// A record that points to a post: like or repost, `via` a repost of somebody in between.
  func pointer(
    _ collection: RecordCollection, to post: PostReference, via: PostReference?, time: UInt64,
    into writer: inout CBORWriter
  ) {
    writer.map(via == nil ? 3 : 4)
    if let via {
      writer.text("via")
      reference(via, .repost, into: &writer)
    }
    writer.text("$type")
    writer.text(collection.rawValue)
    writer.text("subject")
    reference(post, .post, into: &writer)
    writer.text("createdAt")
    writer.time(time)
  }

  /// A record that points to an account: follow or block.
  func relation(_ collection: RecordCollection, to account: Int, time: UInt64, into writer: inout CBORWriter) {
    writer.map(3)
    writer.text("$type")
    writer.text(collection.rawValue)
    writer.text("subject")
    writer.text(utf8: accounts.did(account))
    writer.text("createdAt")
    writer.time(time)
  }

  func post(_ post: Post, into writer: inout CBORWriter) {
    let facets = post.body.facets
    writer.map(4 + (post.embed == nil ? 0 : 1) + (post.reply == nil ? 0 : 1) + (facets.isEmpty ? 0 : 1))
    writer.text("text")
    writer.text(utf8: post.body.text)
    writer.text("$type")
    writer.text(RecordCollection.post.rawValue)
    if let embed = post.embed {
      writer.text("embed")
      self.embed(embed, into: &writer)
    }
    writer.text("langs")
    writer.array(1)
    writer.text(post.language)
    if let reply = post.reply {
      writer.text("reply")
      writer.map(2)
      writer.text("root")
      reference(reply.root, .post, into: &writer)
      writer.text("parent")
      reference(reply.parent, .post, into: &writer)
    }
    if !facets.isEmpty {
      writer.text("facets")
      writer.array(facets.count)
      for facet in facets { self.facet(facet, into: &writer) }
    }
    writer.text("createdAt")
    writer.time(post.time)
  }

  private func facet(_ facet: TextBuilder.Facet, into writer: inout CBORWriter) {
    writer.map(2)
    writer.text("index")
    writer.map(2)
    writer.text("byteEnd")
    writer.int(Int64(facet.end))
    writer.text("byteStart")
    writer.int(Int64(facet.start))
    writer.text("features")
    writer.array(1)
    writer.map(2)
    let kind: StaticString
    switch facet.feature {
    case .link(let uri):
      writer.text("uri")
      writer.text(uri)
      kind = "app.bsky.richtext.facet#link"
    case .mention(let account):
      writer.text("did")
      writer.text(utf8: accounts.did(account))
      kind = "app.bsky.richtext.facet#mention"
    case .tag(let tag):
      writer.text("tag")
      writer.text(tag)
      kind = "app.bsky.richtext.facet#tag"
    }
    writer.text("$type")
    writer.text(kind)
  }

  private func embed(_ embed: Embed, into writer: inout CBORWriter) {
    switch embed {
    case .images(let images):
      writer.map(2)
      writer.text("$type")
      writer.text("app.bsky.embed.images")
      writer.text("images")
      writer.array(images.count)
      for image in images {
        writer.map(3)
        writer.text("alt")
        writer.text(image.alt)
        writer.text("image")
        blob(image.blob, type: "image/jpeg", size: image.size, into: &writer)
        aspect(width: 1_600, height: 1_200, into: &writer)
      }
    case .video(let digest, let size):
      writer.map(3)
      writer.text("$type")
      writer.text("app.bsky.embed.video")
      writer.text("video")
      blob(digest, type: "video/mp4", size: size, into: &writer)
      aspect(width: 1_080, height: 1_920, into: &writer)
    case .external(let uri, let title, let about, let thumb):
      writer.map(2)
      writer.text("$type")
      writer.text("app.bsky.embed.external")
      writer.text("external")
      writer.map(thumb == nil ? 3 : 4)
      writer.text("uri")
      writer.text(uri)
      if let thumb {
        writer.text("thumb")
        blob(thumb, type: "image/jpeg", size: 84_211, into: &writer)
      }
      writer.text("title")
      writer.text(title)
      writer.text("description")
      writer.text(about)
    case .quote(let post):
      writer.map(2)
      writer.text("$type")
      writer.text("app.bsky.embed.record")
      writer.text("record")
      reference(post, .post, into: &writer)
    }
  }

  private func aspect(width: Int64, height: Int64, into writer: inout CBORWriter) {
    writer.text("aspectRatio")
    writer.map(2)
    writer.text("width")
    writer.int(width)
    writer.text("height")
    writer.int(height)
  }

  func profile(name: String, about: String, avatar: Digest?, time: UInt64, into writer: inout CBORWriter) {
    writer.map(avatar == nil ? 4 : 5)
    writer.text("$type")
    writer.text(RecordCollection.profile.rawValue)
    if let avatar {
      writer.text("avatar")
      blob(avatar, type: "image/jpeg", size: 61_040, into: &writer)
    }
    writer.text("createdAt")
    writer.time(time)
    writer.text("description")
    writer.text(about)
    writer.text("displayName")
    writer.text(name)
  }

  func blob(_ digest: Digest, type: StaticString, size: Int, into writer: inout CBORWriter) {
    writer.map(4)
    writer.text("ref")
    writer.bytes.append(contentsOf: [0xd8, 0x2a, 0x58, 0x25, 0, 1, CIDBytes.raw, 0x12, 0x20])
    digest.withBytes { writer.bytes.append(contentsOf: $0) }
    writer.text("size")
    writer.int(Int64(size))
    writer.text("$type")
    writer.text("blob")
    writer.text("mimeType")
    writer.text(type)
  }

  /// `{cid, uri}`.
  func reference(_ post: PostReference, _ collection: RecordCollection, into writer: inout CBORWriter) {
    writer.map(2)
    writer.text("cid")
    writer.textHead(59)
    TextFormat.appendCID(post.digest, codec: CIDBytes.dagCBOR, to: &writer.bytes)
    writer.text("uri")
    uri(post.account, collection, post.record, into: &writer)
  }

  /// `at://did/collection/tid` as a text.
  func uri(_ account: Int, _ collection: RecordCollection, _ record: UInt64, into writer: inout CBORWriter) {
    let name = collection.rawValue.utf8
    writer.textHead(5 + Accounts.didBytes + 1 + name.count + 1 + 13)
    writer.bytes.append(contentsOf: "at://".utf8)
    writer.bytes.append(contentsOf: accounts.did(account))
    writer.bytes.append(UInt8(ascii: "/"))
    writer.bytes.append(contentsOf: name)
    writer.bytes.append(UInt8(ascii: "/"))
    TextFormat.appendTID(record, to: &writer.bytes)
  }
}
