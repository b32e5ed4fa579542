"""The MMD2023 corpus, in the file layout that the published SMFL code reads."""
