// ATProto
