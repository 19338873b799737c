"""What is found without predicting: profiles, comparable customers, definitions of churn."""
