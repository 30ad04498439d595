"""Parts of networks that several recipes share."""
