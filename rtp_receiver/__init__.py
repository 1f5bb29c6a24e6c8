"""The media plane: RTP in, utterances out."""
