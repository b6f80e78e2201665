"""What treino and its doctor share: errors for the user, languages, a command's output and its ends."""
